import js from "@eslint/js";
import jsdoc from "eslint-plugin-jsdoc";
import globals from "globals";

export default [
  { ignores: ["types/", "node_modules/"] },
  js.configs.recommended,
  {
    plugins: { jsdoc },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "eqeqeq": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-shadow": "error",
      "no-implicit-coercion": "error",
      "no-promise-executor-return": "error",
      "max-lines": ["error", 400],
      "max-len": ["error", { code: 120, ignoreUrls: true, ignoreTemplateLiterals: false }],
    },
  },
  {
    files: ["index.js", "records.js", "messages.js", "failure.js", "page/*.js", "worker/*.js", "node/*.mjs"],
    rules: {
      "jsdoc/require-file-overview": "error",
      "jsdoc/require-jsdoc": [
        "error",
        { publicOnly: true, require: { ClassDeclaration: true, FunctionDeclaration: true, MethodDefinition: true } },
      ],
      "jsdoc/require-description": [
        "error",
        { contexts: ["ExportNamedDeclaration > FunctionDeclaration", "ExportNamedDeclaration > ClassDeclaration"] },
      ],
      "jsdoc/check-param-names": "error",
      "jsdoc/require-param-type": "error",
      "jsdoc/check-tag-names": ["error", { typed: false }],
    },
  },
  { files: ["index.js", "page/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["worker/*.js"], languageOptions: { globals: globals.worker } },
  { files: ["node/*.mjs", "tests/**/*.js", "eslint.config.js"], languageOptions: { globals: globals.node } },
  { files: ["records.js", "messages.js", "failure.js"], languageOptions: { globals: globals["shared-node-browser"] } },
];
