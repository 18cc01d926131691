// Stands in front of the server and adds the key, for programs that cannot send one. Prints its port, then reads from its standard
// input, on one line, where the server is and the key.
import http from "node:http";
import readline from "node:readline";

const lines = readline.createInterface({ input: process.stdin });
const told = new Promise((resolve) => lines.once("line", resolve)).then((line) => line.split(" "));
lines.on("close", () => process.exit());

const server = http.createServer(async (request, answer) => {
  const [target, key] = await told;
  const { hostname, port } = new URL(target);
  // The name that was called stays, so that its check is checked too.
  const headers = { ...request.headers, authorization: `Bearer ${key}` };
  const onward = http.request({ host: hostname, port, path: request.url, method: request.method, headers }, (reply) => {
    answer.writeHead(reply.statusCode, reply.headers);
    reply.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  answer.on("close", () => onward.destroy());
  request.pipe(onward);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
