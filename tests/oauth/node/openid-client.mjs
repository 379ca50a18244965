// Everything openid-client can do with this server: node openid-client.mjs <issuer> <client id> <secret> <redirect address>.
// It prints the address to open and reads the address the browser was sent back to.
import { createInterface } from "node:readline/promises";
import assert from "node:assert/strict";
import * as oidc from "openid-client";

const [issuer, clientId, secret, redirectUri] = process.argv.slice(2);
const terminal = createInterface({ input: process.stdin });
const prove = secret ? oidc.ClientSecretPost(secret) : oidc.None();
const config = await oidc.discovery(new URL(issuer), clientId, undefined, prove, { execute: [oidc.allowInsecureRequests] });
oidc.enableNonRepudiationChecks(config); // verify the ID token's signature by the published keys

const verifier = oidc.randomPKCECodeVerifier();
const state = oidc.randomState();
const nonce = oidc.randomNonce();
const address = oidc.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: "openid email profile",
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
console.log(address.href);
const callback = new URL((await terminal[Symbol.asyncIterator]().next()).value);

const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
await assert.rejects(oidc.authorizationCodeGrant(config, callback, { ...checks, expectedState: "another" }));
const made = await oidc.authorizationCodeGrant(config, callback, checks);
const identity = made.claims();
const person = await oidc.fetchUserInfo(config, made.access_token, identity.sub);
const second = await oidc.refreshTokenGrant(config, made.refresh_token);
if (secret) {
  assert.equal((await oidc.tokenIntrospection(config, second.access_token)).active, true);
  assert.ok((await oidc.clientCredentialsGrant(config, { scope: "profile:read" })).access_token);
}
await oidc.tokenRevocation(config, second.refresh_token);
await assert.rejects(oidc.refreshTokenGrant(config, second.refresh_token), { error: "invalid_grant" });
await assert.rejects(oidc.authorizationCodeGrant(config, callback, checks), { error: "invalid_grant" });

console.log(JSON.stringify({ done: true, sub: identity.sub, email: person.email, scope: made.scope }));
terminal.close();
