/**
 * @file The laws of the one message that a participant or an experimenter reads.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { explain } from "../failure.js";

/** @param {string[]} lines */
const traceback = (...lines) => new Error(["Traceback (most recent call last):", ...lines, ""].join("\n"));

test("a traceback becomes its last line, with the experiment's file and line", () => {
  const { error, text } = explain(traceback(
    '  File "/lib/python3.14/site-packages/pyodide_runtime/worker.py", line 62, in tick',
    "    step()",
    '  File "/experiment/kitchen.py", line 5, in explode',
    "    raise ValueError('the pot boiled over')",
    "ValueError: the pot boiled over",
  ), ["kitchen.py"]);
  assert.equal(error, "kitchen.py:5: ValueError: the pot boiled over");
  assert.match(text, /^Traceback[^]*over$/);
});

test("the last line within the experiment is named, even if it failed deeper", () => {
  const { error } = explain(traceback(
    '  File "/experiment/kitchen.py", line 9, in step',
    "    cook()",
    '  File "/experiment/parts/stove.py", line 3, in cook',
    "    numpy.cook()",
    '  File "/lib/python3.14/site-packages/numpy/__init__.py", line 800, in __getattr__',
    "    raise AttributeError(name)",
    "AttributeError: cook",
  ), ["kitchen.py", "parts/stove.py"]);
  assert.equal(error, "parts/stove.py:3: AttributeError: cook");
});

test("an error raised on purpose is its own sentence, named once", () => {
  const { error } = explain(traceback(
    '  File "/lib/python3.14/site-packages/pyodide_runtime/worker.py", line 20, in open',
    "    raise ExperimentError(message)",
    "pyodide_runtime.errors.ExperimentError: kitchen.py:12: players is 0; it must be at least 1",
  ), ["kitchen.py"]);
  assert.equal(error, "kitchen.py:12: players is 0; it must be at least 1");
});

test("a syntax error keeps its place and loses the picture of the line", () => {
  const { error } = explain(traceback(
    '  File "/lib/python3.14/site-packages/pyodide_runtime/worker.py", line 20, in open',
    "    import_module(name)",
    '  File "/experiment/kitchen.py", line 3',
    "    def step(:",
    "             ^",
    "SyntaxError: invalid syntax",
  ), ["kitchen.py"]);
  assert.equal(error, "kitchen.py:3: SyntaxError: invalid syntax");
});

test("a message of several lines is kept whole", () => {
  const { error } = explain(traceback(
    '  File "/lib/python3.14/site-packages/pyodide_runtime/worker.py", line 1, in open',
    "    raise ValueError(text)",
    "ValueError: the packages differ:",
    "  numpy 2.4.3 here",
    "  numpy 2.4.2 there",
  ));
  assert.equal(error, "ValueError: the packages differ:\n  numpy 2.4.3 here\n  numpy 2.4.2 there");
});

test("of a chain of tracebacks the last one counts", () => {
  const { error } = explain(traceback(
    '  File "/x.py", line 1, in <module>',
    "KeyError: 'a'",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    '  File "/y.py", line 1, in <module>',
    "RuntimeError: no such dish",
  ));
  assert.equal(error, "RuntimeError: no such dish");
});

test("an error of JavaScript is its message, with the stack as its text", () => {
  const failure = new TypeError("tick() did not return bytes");
  assert.deepEqual(explain(failure), { error: "tick() did not return bytes", text: failure.stack });
});

test("what is no error at all is put into words", () => {
  assert.deepEqual(explain("gone"), { error: "gone", text: "gone" });
});
