"""What the connections of a page sent and received, counted by the browser itself, whatever way the product chose for its packets.

It is installed before the page is opened, and read during play: of a connection that is closed nothing can be read any more. It
knows nothing of matches.
"""

from __future__ import annotations

from playwright.async_api import Page

_KEEP = """
(() => {
  const Plain = window.RTCPeerConnection;
  window.peerConnections = [];
  window.RTCPeerConnection = class extends Plain {
    constructor(...args) {
      super(...args);
      window.peerConnections.push(this);
    }
  };
})();
"""
_READ = """
Promise.all((window.peerConnections ?? []).map(async (connection) => {
  const transport = [...(await connection.getStats()).values()].find(({type}) => type === "transport");
  return [transport?.packetsSent ?? 0, transport?.packetsReceived ?? 0];
})).then((counts) => [performance.timeOrigin, counts])
"""


class Traffic:
    """The packets of one page, of every connection that it made, however often it was loaded.

    Attributes:
        sent, received: how many, at the last look.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._counts: dict[tuple[float, int], tuple[int, int]] = {}

    async def install(self) -> None:
        """Begin to count, from the next opening of the page on."""
        await self._page.add_init_script(_KEEP)

    async def look(self) -> None:
        """Take the counts as they are now."""
        origin, counts = await self._page.evaluate(_READ)
        for number, (sent, received) in enumerate(counts):
            before = self._counts.get((origin, number), (0, 0))
            self._counts[origin, number] = max(before[0], sent), max(before[1], received)

    @property
    def sent(self) -> int:
        return sum(sent for sent, _ in self._counts.values())

    @property
    def received(self) -> int:
        return sum(received for _, received in self._counts.values())
