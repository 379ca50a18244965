// What csp_evaluator says about a policy: policy.mjs NODE_MODULES POLICY
import { createRequire } from "node:module";
const [folder, policy] = process.argv.slice(2);
const load = createRequire(`${folder}/`);
const { CspEvaluator } = load("csp_evaluator/dist/evaluator.js");
const { CspParser } = load("csp_evaluator/dist/parser.js");
console.log(JSON.stringify(new CspEvaluator(new CspParser(policy).csp).evaluate()));
