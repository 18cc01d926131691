// The server under test on a data directory of its own, and a plain SMTP client for it.

import { spawn } from "node:child_process";
import { mkdtemp, rm, chmod } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

async function freePort() {
  const probe = net.createServer();
  await new Promise((done) => probe.listen(0, "127.0.0.1", done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

export async function start(bin) {
  const data = await mkdtemp(path.join(tmpdir(), "pillarbox-browser-"));
  await chmod(data, 0o755);
  const http = await freePort();
  const smtp = await freePort();
  const env = {
    ...process.env,
    PILLARBOX_DATA_DIR: path.join(data, "data"),
    PILLARBOX_HTTP_LISTEN: `127.0.0.1:${http}`,
    PILLARBOX_SMTP_LISTEN: `127.0.0.1:${smtp}`,
    PILLARBOX_HOSTNAME: "mx.test.example",
  };
  delete env.PILLARBOX_DATABASE_URL;
  delete env.DATABASE_URL;
  const child = spawn(bin, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  let stopping = false;
  const gone = new Promise((done) => child.on("exit", done));
  gone.then((code) => { if (!stopping) console.log(`the server went away (${code ?? child.signalCode}):\n${log.slice(-3000)}`); });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (log += piece));
  const setup = await until(() => log.match(/http:\/\/\S*\/setup\?token=[A-Za-z0-9_-]+/)?.[0], 60_000, () => log);
  return {
    origin: `http://127.0.0.1:${http}`,
    setup,
    log: () => log,
    send: (message, to) => send(smtp, message, to),
    async stop() {
      stopping = true;
      const began = Date.now();
      child.kill("SIGTERM");
      await Promise.race([gone, new Promise((done) => setTimeout(done, 20_000))]);
      const took = Date.now() - began;
      if (child.exitCode === null) child.kill("SIGKILL");
      await rm(data, { recursive: true, force: true });
      return took;
    },
  };
}

export async function until(test, milliseconds = 10_000, say = () => "") {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (Date.now() > end) throw new Error(`it did not happen within ${milliseconds} ms: ${test} ${say()}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

// One transaction (RFC 5321 section 3.3). Resolves once the message is accepted.
function send(port, message, to) {
  const content = message.replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..");
  const commands = ["EHLO client.example", "MAIL FROM:<sender@shop.example>", `RCPT TO:<${to}>`, "DATA", `${content}\r\n.`, "QUIT"];
  return new Promise((done, failed) => {
    const socket = net.connect(port, "127.0.0.1");
    let buffer = "";
    socket.on("data", (piece) => {
      buffer += piece;
      // Replies of several lines have a hyphen after the code in all but the last.
      for (let found; (found = buffer.match(/^(?:\d{3}-[^\n]*\n)*(\d{3}) [^\n]*\n/)); ) {
        buffer = buffer.slice(found[0].length);
        if (Number(found[1]) >= 400) failed(new Error(found[0]));
        const next = commands.shift();
        if (next) socket.write(`${next}\r\n`);
      }
    });
    socket.on("error", failed);
    socket.on("close", () => done());
  });
}
