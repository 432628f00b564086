import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../kit/errors.ts'
import { credentialsIn, dockerConfigFile, helperFor, withCredentials, withoutCredentials, type DockerConfig } from './docker-config.ts'

const config = (content: Record<string, unknown>): DockerConfig => ({ path: '/home/bob/.docker/config.json', content })
const auth = (text: string) => Buffer.from(text).toString('base64')
const host = 'registry.example:5000'

test('where the file is', () => {
  assert.equal(dockerConfigFile({ HOME: '/home/bob' }), '/home/bob/.docker/config.json')
  assert.equal(dockerConfigFile({ HOME: '/home/bob', DOCKER_CONFIG: '/etc/docker-of-bob' }), '/etc/docker-of-bob/config.json')
  assert.equal(dockerConfigFile({ HOME: '/home/bob', DOCKER_CONFIG: '' }), '/home/bob/.docker/config.json')
})

test('credentials under every form of a host', () => {
  for (const key of [host, `https://${host}`, `https://${host}/`, `https://${host}/v1/`, `http://${host}`]) {
    assert.deepEqual(
      credentialsIn(config({ auths: { [key]: { auth: auth('bob:pass:word') } } }), host),
      { username: 'bob', password: 'pass:word' },
      key,
    )
  }
})

test('what is no credential is none', () => {
  for (const auths of [
    undefined,
    null,
    [],
    {},
    { [host]: null },
    { [host]: {} },
    { [host]: { auth: 5 } },
    { [host]: { auth: auth('bob') } },
    { [host]: { auth: auth(':x') } },
    { 'other.example': { auth: auth('a:b') } },
    { [host]: { identitytoken: 'x' } },
  ]) {
    assert.equal(credentialsIn(config({ auths }), host), undefined, JSON.stringify(auths))
  }
  assert.equal(credentialsIn(config({ auths: {} }), 'constructor'), undefined)
})

test('the helper of a host, else of all; an empty name means the file', () => {
  assert.equal(helperFor(config({}), host), undefined)
  assert.equal(helperFor(config({ credsStore: 'pass' }), host), 'pass')
  assert.equal(helperFor(config({ credsStore: 'pass', credHelpers: { [host]: 'other' } }), host), 'other')
  assert.equal(helperFor(config({ credsStore: 'pass', credHelpers: { [host]: '' } }), host), undefined)
  assert.equal(helperFor(config({ credsStore: 'pass', credHelpers: { else: 'other' } }), host), 'pass')
  for (const name of ['../../bin/sh', '/bin/sh', 'a b', 'a\0b', '-x', 'x'.repeat(200), 5, {}, null, ['pass']]) {
    assert.throws(() => helperFor(config({ credsStore: name }), host), { code: 'SETTING_INVALID' }, JSON.stringify(name))
  }
})

test('everything else in the file stays as it was', () => {
  const before = {
    credHelpers: { x: 'y' },
    auths: { other: { auth: 'eA==', note: 1 }, [`https://${host}`]: { auth: auth('old:old') } },
    HttpHeaders: { A: 'b' },
    proxies: { default: { httpProxy: 'p' } },
    unknown: [1, null],
  }
  const after = withCredentials(config(before), host, { username: 'bob', password: 'p' }).content
  assert.deepEqual(after, { ...before, auths: { other: before.auths.other, [host]: { auth: auth('bob:p') } } })
  assert.deepEqual(
    withCredentials(config(before), host, undefined).content['auths'],
    { other: before.auths.other, [host]: {} },
    'a helper has them: none in clear is left',
  )
  assert.deepEqual(withoutCredentials(config(before), host)?.content, { ...before, auths: { other: before.auths.other } })
  assert.equal(withoutCredentials(config({ auths: { other: {} } }), host), undefined)
  assert.throws(() => withCredentials(config({ auths: [] }), host, undefined), { code: 'SETTING_INVALID' })
})

test('whatever the file holds: kept in all but the host, or refused', () => {
  const content = fc.dictionary(fc.oneof(fc.constantFrom('auths', 'credsStore', 'credHelpers', '__proto__'), fc.string()), fc.jsonValue())
  fc.assert(
    fc.property(
      content,
      fc.string({ minLength: 1 }).filter((name) => !name.includes(':')),
      fc.string(),
      (given, username, password) => {
        try {
          const after = withCredentials(config(given), host, { username, password })
          assert.deepEqual(credentialsIn(after, host), { username: username.toWellFormed(), password: password.toWellFormed() })
          for (const key of Object.keys(given)) if (key !== 'auths') assert.deepEqual(after.content[key], given[key])
          const gone = withoutCredentials(after, host)
          assert.equal(gone === undefined ? undefined : credentialsIn(gone, host), undefined)
          helperFor(after, host)
        } catch (error) {
          assert.ok(error instanceof LazaretError && error.code === 'SETTING_INVALID', String(error))
        }
      },
    ),
  )
})
