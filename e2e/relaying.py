"""The way through the server, cut and mended in one page: what is binary on its WebSocket gets lost while it is cut.

Nothing tells the page of it, as nothing tells it of a network that swallows packets. Messages of the room go through all the same.
"""

from __future__ import annotations

from playwright.async_api import Page

_MAKE_CUTTABLE = """
window.relayIsCut = false;
window.relayed = { sent: 0, received: 0 };
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    window.line = this;
    this.addEventListener("message", (event) => {
      if (typeof event.data === "string") return;
      if (window.relayIsCut) event.stopImmediatePropagation();
      else window.relayed.received += 1;
    });
  }
  send(data) {
    if (typeof data !== "string") {
      if (window.relayIsCut) return;
      window.relayed.sent += 1;
    }
    super.send(data);
  }
};
"""


async def make_cuttable(page: Page, *, is_cut: bool = False) -> None:
    """Prepare a page that has not been opened yet; with `is_cut`, the way is cut from the beginning."""
    await page.add_init_script(_MAKE_CUTTABLE.replace("relayIsCut = false", f"relayIsCut = {str(is_cut).lower()}"))


async def cut(page: Page, is_cut: bool) -> None:
    """Cut the way, or mend it."""
    await page.evaluate("isCut => { window.relayIsCut = isCut; }", is_cut)


async def break_line(page: Page) -> None:
    """The page's line to the server breaks off, with a code that no page closes it with; nothing keeps it from opening another."""
    await page.evaluate("window.line.close(4000)")


async def relayed(page: Page) -> dict[str, int]:
    """How many packets the page sent and received through the server so far."""
    counted: dict[str, int] = await page.evaluate("window.relayed")
    return counted
