// The Node side of http_servers.py: `node echo.js LOG`. As echo.py: one JSON line for each request as
// Node understood it, and its port as the first line it prints.
const crypto = require("crypto");
const fs = require("fs");
const http = require("http");

const log = fs.openSync(process.argv[2], "a");

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces);
    const fields = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      fields.push([request.rawHeaders[i], request.rawHeaders[i + 1]]);
    }
    const hash = crypto.createHash("sha256").update(body).digest("hex");
    const understood = {
      client: request.socket.remoteAddress, method: request.method, target: request.url,
      fields, length: body.length, hash,
    };
    fs.writeSync(log, JSON.stringify(understood) + "\n");
    response.writeHead(200, { "Content-Length": "0" });
    response.end();
  });
});
server.listen(0, "127.0.0.1", 1024, () => console.log(server.address().port));
