// Starts `npc lsp` and lets the editor talk to it. Colours and snippets work without it.
"use strict";

const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

async function activate() {
  const settings = workspace.getConfiguration("npc");
  const [command, ...args] = settings.get("command", ["npc", "lsp"]);
  const languages = settings.get("yaml", true) ? ["npc", "yaml", "json"] : ["npc"];
  client = new LanguageClient(
    "npc",
    "npc",
    { command, args },
    {
      documentSelector: languages.map((language) => ({ scheme: "file", language })),
      initializationOptions: { inventory: settings.get("inventory", []) },
    },
  );
  await client.start();
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
