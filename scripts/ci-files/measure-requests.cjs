/**
 * A small service with routes of find-my-way, asked again and again by this process; prints what load tests write
 * (JMeter's columns): node measure-requests.cjs REQUESTS
 */
const { createServer, get } = require("node:http");
const router = require("find-my-way")({ defaultRoute: (_, response) => answer(response, 404, "") });

const COLUMNS =
  "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes," +
  "grpThreads,allThreads,URL,Latency,IdleTime,Connect";
const THREADS = 6;
const PATHS = ["/", "/orders", "/orders/17", "/orders/x/items", "/customers?page=3", "/reports/2026/11", "/missing"];

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "text/html" });
  response.end(body);
}

const work = (size) => (request, response) => {
  let body = "";
  for (let i = 0; i < size; i++) body += `<p>${request.url} ${(i * 7919) % 1013}</p>\n`;
  answer(response, size > 200 ? 500 : 200, body);
};
router.on("GET", "/", work(3));
router.on("GET", "/orders", work(90));
router.on("GET", "/orders/:id", work(12));
router.on("GET", "/orders/:id/items", work(40));
router.on("GET", "/customers", work(60));
router.on("GET", "/reports/:year/:month", work(250));

function ask(port, path) {
  const beganAt = { ms: Date.now(), exact: performance.now() };
  return new Promise((resolve, reject) => {
    get({ port, path, agent: false }, (response) => {
      const latency = performance.now() - beganAt.exact;
      let bytes = 0;
      response.on("data", (chunk) => {
        bytes += chunk.length;
      });
      response.on("end", () => resolve({ beganAt, latency, bytes, response }));
    }).on("error", reject);
  });
}

async function main() {
  const server = createServer((request, response) => router.lookup(request, response));
  await new Promise((resolve) => server.listen(0, resolve));
  const { port } = server.address();
  console.log(COLUMNS);
  let left = Number(process.argv[2]);
  const thread = async (number) => {
    for (; left > 0; ) {
      left--;
      const path = PATHS[Math.floor(Math.random() * PATHS.length)];
      const { beganAt, latency, bytes, response } = await ask(port, path);
      const elapsed = Math.round(performance.now() - beganAt.exact);
      const { statusCode: code, statusMessage } = response;
      const label = `GET /${path.split(/[/?]/)[1]}`;
      const why = code === 200 ? "true," : `false,"Test failed: code expected to equal / 200 / but was ${code}"`;
      console.log(
        `${beganAt.ms},${elapsed},${label},${code},${statusMessage},Users 1-${number},text,${why},${bytes},` +
          `${path.length + 88},${THREADS},${THREADS},http://localhost:8080${path},${Math.round(latency)},0,0`,
      );
    }
  };
  await Promise.all(Array.from({ length: THREADS }, (_, i) => thread(i + 1)));
  server.close();
}

void main();
