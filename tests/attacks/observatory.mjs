// Scores pages as MDN's HTTP Observatory does: observatory.mjs NODE_MODULES HOST PORT PATH...
// Its own scan() knows neither ports nor answers other than 200, so its parts are put together here.
const [folder, host, httpsPort, ...paths] = process.argv.slice(2);
const part = (name) => import(`${folder}/@mdn/mdn-http-observatory/src/${name}.js`);
const { retrieve } = await part("retriever/retriever");
const { ALL_TESTS } = await part("constants");
const { getScoreModifier } = await part("grader/grader");
const { MINIMUM_SCORE_FOR_EXTRA_CREDIT } = await part("grader/charts");

const found = {};
for (const path of paths) {
  const answers = await retrieve(host, { httpPort: "1", httpsPort, path });
  const tests = Object.fromEntries(ALL_TESTS.map((test) => test(answers).result).map((name) => [name, getScoreModifier(name)]));
  const points = Object.values(tests);
  const plain = 100 + points.filter((one) => one < 0).reduce((sum, one) => sum + one, 0);
  const whole = 100 + points.reduce((sum, one) => sum + one, 0);
  const score = plain >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? whole : plain;
  found[path] = { status: answers.responses.auto?.status ?? 0, score, tests };
}
console.log(JSON.stringify(found));
