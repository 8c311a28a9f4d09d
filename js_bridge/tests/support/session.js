/**
 * @file What a server would say of a session, for tests.
 */

/** @type {import("../../messages.js").Config} */
export const CONFIG = Object.freeze({
  session: "S1",
  experiment: {
    module: "squares",
    files: { "squares.py": "NAME = 'Two squares'\n" },
    requirements: [],
    settings: { name: "Two squares" },
  },
  sprites: {},
  distribution: "/pyodide/",
  ice_servers: [],
  rtc_configuration: {},
  uploads: "/api/sessions/S1/players/A/chunks",
});

/** @type {import("../../messages.js").Start} */
export const START = Object.freeze({
  session: "S1",
  seed: 7,
  players: [{ player_id: "A", index: 0 }, { player_id: "B", index: 1 }],
  index: 0,
  incarnation: 0,
  running: false,
  peers: [{ index: 1, incarnation: 0 }],
});
