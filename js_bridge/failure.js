/**
 * @file Makes one readable message out of what went wrong: the last line of a Python traceback, with the file and
 * line of the experiment where it passed through there. It never decides what happens next.
 */

/**
 * Says in one message what an error was.
 *
 * @param {unknown} error as caught; a Pyodide `PythonError` carries the whole traceback as its message
 * @param {readonly string[]} [files] the experiment's files, as paths relative to its folder
 * @returns {{error: string, text: string}} `error` to show, `text` in full for the console and the server
 */
export function explain(error, files = []) {
  const message = error instanceof Error ? error.message : String(error);
  const text = message.includes("Traceback (most recent call last)")
    ? message.trim()
    : error instanceof Error ? (error.stack ?? message) : message;
  const last = lastMessage(message);
  const place = placeIn(message, files);
  return { error: place && !last.includes(`${place}:`) ? `${place}: ${last}` : last, text };
}

/**
 * The exception's own text: what follows the last frame of a traceback. Errors that this package raises on purpose
 * are sentences already, so their type is left out.
 *
 * @param {string} message
 */
function lastMessage(message) {
  const lines = message.trimEnd().split("\n");
  let from = 0;
  lines.forEach((line, at) => {
    if (/^(\s+File "|Traceback \(most recent call last\))/.test(line)) from = at + 1;
  });
  if (from === 0) return message.trim();
  while (from < lines.length - 1 && /^\s/.test(lines[from] ?? "")) from += 1;
  return lines.slice(from).join("\n").trim().replace(/^pyodide_runtime\.[\w.]+: /, "");
}

/**
 * The last line of the experiment's own files that a traceback names.
 *
 * @param {string} message
 * @param {readonly string[]} files
 */
function placeIn(message, files) {
  let place = "";
  for (const [, path = "", line] of message.matchAll(/^\s*File "([^"]+)", line (\d+)/gm)) {
    const file = files.find((name) => path === name || path.endsWith(`/${name}`));
    if (file) place = `${file}:${line}`;
  }
  return place;
}
