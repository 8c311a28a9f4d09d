"""What a broken or hostile peer may send: a flood on the real data channels of one page, towards the other player.

The page must keep its channels (`?proxy_channels=1`), so that this can get hold of them. Nothing that is sent is a packet that
means something new: noise, real packets cut short or with something behind them, text, and real packets once more.
"""

from __future__ import annotations

from playwright.async_api import Page

PACKETS = 2_000
"""How many pieces of garbage go into each channel."""

_KEEP_CHANNELS = """
window.keptChannels = {};
const make = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (label, options) {
  const channel = make.call(this, label, options);
  const send = channel.send.bind(channel);
  const kept = (window.keptChannels[label] = { channel, send, last: new ArrayBuffer(0) });
  channel.send = (data) => { kept.last = data.slice(0); send(data); };
  return channel;
};
"""

_FLOOD = """
async (packets) => {
  const noise = (length) => crypto.getRandomValues(new Uint8Array(length));
  const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...new Uint8Array(part)]));
  for (const { channel, send } of Object.values(window.keptChannels)) {
    if (channel.readyState !== "open") throw new Error("a channel is not open");
    for (const length of [0, 1, 60_001]) send(noise(length));
    send("text");
  }
  for (let sent = 0; sent < packets;) {
    for (let burst = 0; burst < 40; burst++, sent++) {
      for (const { send, last } of Object.values(window.keptChannels)) {
        const kind = sent % 4;
        if (kind === 0) send(noise(1 + Math.floor(Math.random() * 200)));
        if (kind === 1) send(last.slice(0, Math.floor(Math.random() * last.byteLength)));
        if (kind === 2) send(joined(last, noise(1 + Math.floor(Math.random() * 20))));
        if (kind === 3) send(joined(noise(2), last.slice(2)));
        send(last);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
"""


async def keep_channels(page: Page) -> None:
    """Prepare a page that has not been opened yet."""
    await page.add_init_script(_KEEP_CHANNELS)


async def flood(page: Page) -> None:
    """Send garbage on both channels of a page that plays, in bursts over a few seconds."""
    await page.evaluate(_FLOOD, PACKETS)
