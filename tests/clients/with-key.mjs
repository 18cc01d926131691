// Stands in front of the server and adds the key, for programs that cannot send one. Prints its port.
import http from "node:http";

const [target, key] = [new URL(process.argv[2]), process.argv[3]];
const server = http.createServer((request, answer) => {
  // The name that was called stays, so that its check is checked too.
  const headers = { ...request.headers, authorization: `Bearer ${key}` };
  const onward = http.request({ host: target.hostname, port: target.port, path: request.url, method: request.method, headers }, (reply) => {
    answer.writeHead(reply.statusCode, reply.headers);
    reply.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  answer.on("close", () => onward.destroy());
  request.pipe(onward);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
