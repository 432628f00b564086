import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { exportJWK, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose'
import type { Access } from './scopes.ts'
import { newKey } from './suites/world.ts'
import { createTokens, type TokenHolder, type Tokens } from './tokens.ts'

const service = 'registry.example'
const at = 1_800_000_000
const now = () => at * 1000
const holder: TokenHolder = { principal: { kind: 'user', name: 'bob' }, epoch: 'e' }
const access: Access[] = [{ type: 'repository', name: 'a', actions: ['pull'] }]
const claims = { iss: 'lazaret', aud: service, sub: 'user:bob', epoch: 'e', iat: at, nbf: at - 10, exp: at + 300, access }

test('what was issued is verified, with its claims', async () => {
  const tokens = createTokens(await newKey(), { service, now })
  const { token, issuedAt } = await tokens.issueToken(holder, [...access, { type: 'registry', name: 'catalog', actions: ['*'] }])
  assert.equal(issuedAt, at)
  assert.deepEqual(await tokens.verifyToken(token), {
    claims: {
      kind: 'user',
      name: 'bob',
      epoch: 'e',
      notBefore: at - 10,
      expiresAt: at + 300,
      scope: new Map([
        ['a', new Set(['pull'])],
        ['registry:catalog', new Set(['*'])],
      ]),
    },
  })
})

test('64 scopes of the longest text fit into a request header', async () => {
  const tokens = createTokens(await newKey(), { service, now })
  const many = Array.from({ length: 64 }, (_, index) => ({
    type: 'repository' as const,
    name: `${'x'.repeat(38)}${index}`,
    actions: ['pull', 'push', 'delete'],
  }))
  const { token } = await tokens.issueToken(holder, many)
  assert.ok(token.length < 12_000, `${token.length}`)
  assert.ok('claims' in (await tokens.verifyToken(token)))
})

test('alg none, a key of another, a key in the header, HS256 over our public key: each refused', async () => {
  const key = await newKey()
  const tokens = createTokens(key, { service, now })
  const attacker = generateKeyPairSync('ed25519')
  const jwk = await exportJWK(attacker.publicKey)
  const signed = (header: Partial<JWTHeaderParameters>) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: key.kid, ...header }).sign(attacker.privateKey)
  const hostile: Record<string, string> = {
    'alg none': new UnsecuredJWT({ ...claims }).encode(),
    'alg none with our kid': byHand({ alg: 'none', typ: 'JWT', kid: key.kid }, () => ''),
    'alg None': byHand({ alg: 'None', typ: 'JWT', kid: key.kid }, () => ''),
    'no alg': byHand({ typ: 'JWT', kid: key.kid }, () => ''),
    'EdDSA without signature': byHand({ alg: 'EdDSA', typ: 'JWT', kid: key.kid }, () => ''),
    'another key': await signed({}),
    'embedded jwk': await signed({ jwk }),
    'embedded jwk and its kid': await signed({ jwk, kid: 'mine' }),
    jku: await signed({ jku: 'https://attacker.example/keys' }),
    crit: await signed({ crit: ['b64'], b64: true }),
    ...Object.fromEntries(
      ['der', 'pem'].map((format) => [
        `HS256 over the public key as ${format}`,
        hmacOver(key.publicKey.export({ type: 'spki', format: format as 'pem' })),
      ]),
    ),
    'HS256 over the raw key': hmacOver(Buffer.from(key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')),
  }
  for (const [what, token] of Object.entries(hostile)) assert.ok('reason' in (await tokens.verifyToken(token)), what)
})

test('our own signature does not save wrong claims or a wrong header', async () => {
  const key = await newKey()
  const tokens = createTokens(key, { service, now })
  const sign = (changed: object, header: object = {}) =>
    new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: key.kid, ...header }).sign(key.privateKey)
  assert.ok('claims' in (await tokens.verifyToken(await sign({}))))
  const wrong: [object, object?][] = [
    [{ exp: at }],
    [{ exp: at - 1 }],
    [{ exp: undefined }],
    [{ exp: '9999999999' }],
    [{ nbf: at + 1 }],
    [{ nbf: undefined }],
    [{ iat: undefined }],
    [{ iss: 'other' }],
    [{ iss: undefined }],
    [{ aud: 'other' }],
    [{ aud: [] }],
    [{ sub: undefined }],
    [{ sub: 'bob' }],
    [{ sub: 'root:bob' }],
    [{ epoch: undefined }],
    [{ epoch: 7 }],
    [{ access: 'all' }],
    [{ access: [7] }],
    [{ access: [null] }],
    [{ access: [{ type: 'repository', name: 'a' }] }],
    [{ access: [{ type: 'repository', name: 'a', actions: [7] }] }],
    [{ access: [{ type: 'other', name: 'a', actions: [] }] }],
    [{}, { kid: 'other' }],
    [{}, { kid: undefined }],
    [{}, { typ: 'refresh+jwt' }],
    [{}, { typ: undefined }],
  ]
  for (const [changed, header] of wrong)
    assert.ok('reason' in (await tokens.verifyToken(await sign(changed, header))), JSON.stringify([changed, header]))
})

test('a token of another service or another key is refused, and a refresh token opens nothing', async () => {
  const key = await newKey()
  const ours = createTokens(key, { service, now })
  const elsewhere = createTokens(key, { service: 'other.example', now })
  const others = createTokens(await newKey(), { service, now })
  for (const tokens of [elsewhere, others]) assert.ok('reason' in (await ours.verifyToken((await tokens.issueToken(holder, [])).token)))
  const refresh = await ours.issueRefreshToken(holder)
  assert.ok('reason' in (await ours.verifyToken(refresh)))
  assert.ok('claims' in (await ours.verifyRefreshToken(refresh)))
  assert.ok('reason' in (await ours.verifyRefreshToken((await ours.issueToken(holder, [])).token)))
})

test('remembered tokens end on time, and the memory of them is by the whole token', async () => {
  const clock = { now: at * 1000 }
  const tokens = createTokens(await newKey(), { service, now: () => clock.now })
  const { token } = await tokens.issueToken(holder, [])
  assert.ok('claims' in (await tokens.verifyToken(token)))
  assert.ok('reason' in (await tokens.verifyToken(`${token.slice(0, -4)}AAAA`)))
  assert.ok('reason' in (await tokens.verifyToken(`${token}=`)))
  clock.now += 300_000
  assert.deepEqual(await tokens.verifyToken(token), { reason: 'it has expired' })
})

test('the hash by which a long token is remembered is no token', async () => {
  const tokens = createTokens(await newKey(), { service })
  const many = Array.from({ length: 40 }, (_, at) => ({ type: 'repository' as const, name: `team/application-${at}`, actions: ['pull'] }))
  const { token } = await tokens.issueToken(holder, many)
  assert.ok(token.length > 1024)
  assert.ok('claims' in (await tokens.verifyToken(token)))
  assert.ok('claims' in (await tokens.verifyToken(token)), 'from memory')
  for (const form of ['base64', 'base64url', 'hex'] as const) {
    assert.ok('reason' in (await tokens.verifyToken(createHash('sha256').update(token).digest(form))), form)
  }
})

test('no other text is a token, and none makes verification throw', async () => {
  const tokens = createTokens(await newKey(), { service, now })
  const { token } = await tokens.issueToken(holder, access)
  const segment = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    fc.constantFrom(...token.split('.')),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(segment, { maxLength: 6 }).map((parts) => parts.join('.')),
      async (text) => refusedUnlessSame(tokens, text, token),
    ),
    { numRuns: 500 },
  )
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: token.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }), async (position, letter) => {
      const changed = token.slice(0, position) + letter + token.slice(position + 1)
      await refusedUnlessSame(tokens, changed, token)
    }),
    { numRuns: 500 },
  )
  assert.deepEqual(await tokens.verifyToken('a'.repeat(16_385)), { reason: 'it is too long' })
})

async function refusedUnlessSame(tokens: Tokens, text: string, token: string): Promise<void> {
  const outcome = await tokens.verifyToken(text)
  const decoded = (value: string) => Buffer.from(value.split('.')[2] ?? '', 'base64url').toString('hex')
  if ('claims' in outcome) assert.ok(text === token || (text.slice(0, -2) === token.slice(0, -2) && decoded(text) === decoded(token)), text)
}

function byHand(header: object, signatureOf: (input: string) => string): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${signatureOf(input)}`
}

function hmacOver(secret: string | Buffer): string {
  return byHand({ alg: 'HS256', typ: 'JWT' }, (input) => createHmac('sha256', secret).update(input).digest('base64url'))
}
