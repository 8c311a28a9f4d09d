/**
 * @file Offers the data that a page keeps itself: a button for each file, and a warning to whoever closes the page
 * without having taken them. It knows nothing of what is in the files.
 */

/** @typedef {import("./connection.js").Connection} Connection */

/** What a button's value means besides a file's name: the table, as CSV or, where Python is no more, as rows. */
const TABLE = new Set(["export.csv", "rows.ndjson"]);

/**
 * Lets the buttons in an element give out the files of a connection.
 *
 * @param {HTMLElement} element
 * @param {Connection} connection
 */
export function offerData(element, connection) {
  let taken = false;
  for (const button of element.querySelectorAll("button")) {
    button.onclick = async () => {
      button.disabled = true;
      try {
        const files = await connection.data?.collect() ?? [];
        const file = files.find(({ name }) => (button.value === "table" ? TABLE.has(name) : name === button.value));
        if (!file) return;
        save(file.blob, `${connection.config?.session}-${connection.start?.players[0]?.player_id}-${file.name}`);
        taken ||= button.value === "table";
      } finally {
        button.disabled = false;
      }
    };
  }
  window.addEventListener("beforeunload", (event) => {
    if (connection.data && !connection.data.empty && !taken) event.preventDefault();
  });
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
