// Everything oauth4webapi can do with this server: node oauth4webapi.mjs <issuer> <client id> <secret> <redirect address>.
// It prints the address to open and reads the address the browser was sent back to.
import { createInterface } from "node:readline/promises";
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const [issuerText, clientId, secret, redirectUri] = process.argv.slice(2);
const issuer = new URL(issuerText);
const insecure = { [oauth.allowInsecureRequests]: true }; // loopback without TLS
const terminal = createInterface({ input: process.stdin });

for (const algorithm of ["oauth2", "oidc"]) {
  const found = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
  await oauth.processDiscoveryResponse(issuer, found);
}
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oidc", ...insecure }));
const client = { client_id: clientId };
const auth = oauth.ClientSecretBasic(secret);

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const address = new URL(as.authorization_endpoint);
address.search = new URLSearchParams({
  client_id: clientId,
  redirect_uri: redirectUri,
  response_type: "code",
  scope: "openid email profile profile:read",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
console.log(address.href);
const callback = new URL((await terminal[Symbol.asyncIterator]().next()).value);

assert.throws(() => oauth.validateAuthResponse(as, client, callback, "another state"));
const params = oauth.validateAuthResponse(as, client, callback, state);
const redeem = () => oauth.authorizationCodeGrantRequest(as, client, auth, params, redirectUri, verifier, insecure);
const answer = await redeem();
const made = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true });
await oauth.validateApplicationLevelSignature(as, answer, insecure);
const identity = oauth.getValidatedIdTokenClaims(made);

const asked = new Request(`${issuer.origin}/api/v1/me`, { headers: { authorization: `Bearer ${made.access_token}` } });
const access = await oauth.validateJwtAccessToken(as, asked, issuer.origin, insecure); // RFC 9068
assert.equal(access.client_id, clientId);

const info = await oauth.userInfoRequest(as, client, made.access_token, insecure);
const person = await oauth.processUserInfoResponse(as, client, identity.sub, info);
assert.equal(person.sub, identity.sub);

const introspect = async (token) =>
  oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, token, insecure));
assert.equal((await introspect(made.access_token)).active, true);

const refresh = async (token) =>
  oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, token, insecure));
const second = await refresh(made.refresh_token);
const third = await refresh(second.refresh_token);

const revoked = await oauth.revocationRequest(as, client, auth, third.refresh_token, insecure);
await oauth.processRevocationResponse(revoked);
assert.equal((await introspect(third.access_token)).active, false);
await assert.rejects(refresh(third.refresh_token), { error: "invalid_grant" });

const replayed = await redeem();
await assert.rejects(oauth.processAuthorizationCodeResponse(as, client, replayed), { error: "invalid_grant" });

const itself = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: "profile:read" }, insecure);
const own = await oauth.processClientCredentialsResponse(as, client, itself);
assert.equal(own.refresh_token, undefined);

const wrong = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretPost("wrong"), {}, insecure);
await assert.rejects(oauth.processClientCredentialsResponse(as, client, wrong), (error) => error.status === 401);

console.log(JSON.stringify({ done: true, sub: identity.sub, email: person.email, scope: made.scope }));
terminal.close();
