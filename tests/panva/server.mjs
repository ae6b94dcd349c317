// An identity provider (oidc-provider), as the JSON file that is its one argument says. Ends with its parent's pipe.
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));

if (given.ahead_s) {
  const now = Date.now;
  Date.now = () => now() + given.ahead_s * 1000;
}

const claims = new Set(Object.values(given.people).flatMap(Object.keys).concat(["groups"]));
claims.delete("_claim_names");
claims.delete("_claim_sources");
const elsewhere = new Set(given.at_userinfo);

const provider = new Provider(given.issuer, {
  clients: given.clients,
  jwks: { keys: given.keys },
  cookies: { keys: ["of this test"] },
  // Of the scopes, openid's claims alone stand in the ID token; those of the others are for the userinfo endpoint.
  claims: { openid: ["sub", ...[...claims].filter((name) => !elsewhere.has(name))], profile: [...elsewhere], email: [] },
  conformIdTokenClaims: true,
  findAccount: (_, id) => given.people[id] && { accountId: id, claims: () => ({ sub: id, ...given.people[id] }) },
  pkce: { required: () => true },
  subjectTypes: ["public", "pairwise"],
  pairwiseIdentifier: (_, account, client) => `pairwise-${client.clientId}-${account}`,
  enabledJWA: {
    idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
    userinfoSigningAlgValues: ["RS256"],
  },
  features: { devInteractions: { enabled: true }, encryption: { enabled: true }, jwtUserinfo: { enabled: true } },
  responseTypes: ["code"],
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 10_800, Session: 10_800 },
});

provider.use(async (ctx, next) => {
  // Entra has its description below a tenant's name, or below one for all tenants, and names the issuer otherwise than its tokens.
  const described = ctx.path.endsWith("/.well-known/openid-configuration");
  if (described) ctx.path = "/.well-known/openid-configuration";
  await next();
  if (described) Object.assign(ctx.body, given.described);
  if (given.published && ctx.path === "/jwks") ctx.body = { keys: [...given.published, ...ctx.body.keys] };
});
provider.on("server_error", (_, error) => console.error(error));
provider.on("grant.error", (_, error) => console.error(error.name, error.error_description, error.error_detail));
provider.on("authorization.error", (_, error) => console.error(error.name, error.error_description));

process.stdin.resume();
process.stdin.on("end", () => process.exit());
provider.listen(given.port, given.host, () => console.log("ready"));
