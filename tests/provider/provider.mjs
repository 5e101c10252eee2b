// An OpenID provider for tests: npm's oidc-provider with the accounts and clients of one JSON file.
//
//   node provider.mjs MODULES CONFIG
//
// MODULES is the folder with node_modules. CONFIG holds {"port", "clients", "accounts": {NAME: CLAIMS}, "access": AUDIENCE}.
// PUT /test/accounts/NAME with new claims (or null: the account is gone) changes what the provider says from then on;
// GET /test/seen lists the authorization and token requests it was sent.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2);
const entry = resolve(join(modules, "node_modules", "oidc-provider", "lib", "index.js"));
const { Provider } = await import(pathToFileURL(entry));
const config = JSON.parse(readFileSync(file, "utf8"));
const accounts = new Map(Object.entries(config.accounts));
const seen = [];

async function grant(ctx) {
  const { client, session } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  if (known) return ctx.oidc.provider.Grant.find(known);
  const made = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  made.addOIDCScope("openid profile offline_access");
  if (config.access) made.addResourceScope(config.access, "calls");
  await made.save();
  return made;
}

const provider = new Provider(`http://127.0.0.1:${config.port}`, {
  clients: config.clients,
  claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups", "realm_access"] },
  conformIdTokenClaims: Boolean(config.lean),
  cookies: { keys: ["tests"] },
  // Its own dispatcher calls no loopback address, which is where the gateway of a test is.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount(_ctx, id) {
    const claims = accounts.get(id);
    return claims ? { accountId: id, claims: () => ({ sub: id, ...claims }) } : undefined;
  },
  extraTokenClaims: (_ctx, token) => accounts.get(token.accountId ?? token.clientId) ?? {},
  features: {
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: Boolean(config.access),
      defaultResource: () => undefined,
      getResourceServerInfo: () => ({ scope: "calls", audience: config.access, accessTokenFormat: "jwt" }),
    },
  },
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  loadExistingGrant: grant,
  rotateRefreshToken: true,
});

const serve = provider.callback();
const server = createServer((request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (!url.pathname.startsWith("/test/")) {
    if (url.pathname === "/auth") seen.push({ path: "/auth", ...Object.fromEntries(url.searchParams) });
    return serve(request, response);
  }
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    if (request.method === "PUT") {
      const claims = JSON.parse(Buffer.concat(pieces).toString());
      const name = decodeURIComponent(url.pathname.split("/").pop());
      if (claims) accounts.set(name, claims);
      else accounts.delete(name);
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(seen));
  });
});
provider.on("grant.success", (ctx) => {
  const { code_verifier: verifier, grant_type: type, refresh_token: token } = ctx.oidc.params;
  seen.push({ path: "/token", grant_type: type, code_verifier: verifier, refresh_token: token });
});
provider.on("grant.error", (ctx, error) => {
  seen.push({ path: "/token", grant_type: ctx.oidc.params?.grant_type, error: error.message });
});
provider.on("server_error", (_ctx, error) => console.error(error));
server.listen(config.port, "127.0.0.1");
