// A web service that registers itself, and is asked by the agent whether it is well: an HTTP check. Node alone is needed (18 or later).

const http = require("node:http");

const agent = process.env.TIDINGS_AGENT ?? "http://127.0.0.1:8780";
const host = process.env.HOST ?? "127.0.0.1";
const instance = `${agent}/v1/agent/instances/shop-1`;

const server = http.createServer((request, response) => response.end(request.url === "/health" ? "ok" : "hello"));

async function ask(method, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(instance, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

async function register() {
  const { port } = server.address();
  const checks = [{ id: "alive", http: `http://${host}:${port}/health`, interval: "1s", timeout: "1s", fall: 2 }];
  // The same again changes nothing, so a start may always register.
  await ask("PUT", { service: "shop", port, tags: ["node"], checks });
  console.log(`shop-1 is registered, at port ${port}`);
}

async function untilRegistered() {
  for (;;) {
    try {
      return await register();
    } catch (error) {
      console.error(`not registered yet: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

server.listen(Number(process.env.PORT ?? 0), host, untilRegistered);
process.on("SIGTERM", async () => {
  await ask("DELETE").catch((error) => console.error(error.message));
  process.exit();
});
