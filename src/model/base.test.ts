import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimedBase, declaresBase, parseBasePattern, wasInBase } from './base.ts'
import type { Digest } from './digest.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest

test('a pattern declares repositories, or a tag or digest of them', () => {
  const image = { repository: 'library/debian', digest, tags: ['12', 'stable'] }
  const declares = (text: string) => declaresBase(parseBasePattern(text) ?? assert.fail(text), image)
  for (const text of ['library/**', '**', 'library/debian', 'library/*:12', `library/debian@${digest}`]) assert.ok(declares(text), text)
  for (const text of ['library', 'lib*', 'library/debian:13', `**@sha256:${'b'.repeat(64)}`]) assert.ok(!declares(text), text)
})

test('what is no pattern is none', () => {
  const others = [
    '',
    ':',
    ':12',
    '@',
    'a:',
    'a@',
    'a@sha256:abc',
    'a:b:c',
    'A',
    'a//b',
    'a***',
    `a:${'t'.repeat(129)}`,
    'a\n',
    'a:b\n',
    'x'.repeat(256),
  ]
  for (const text of others) assert.equal(parseBasePattern(text), undefined, JSON.stringify(text))
})

test('annotations come before labels, and neither is longer than a line', () => {
  const name = 'org.opencontainers.image.base.name'
  assert.deepEqual(claimedBase({ [name]: 'a' }, { [name]: 'b', 'org.opencontainers.image.base.digest': 'x' }), { name: 'a', digest: 'x' })
  assert.deepEqual(claimedBase({ [name]: '' }, { [name]: 'b' }), { name: 'b' })
  assert.equal(claimedBase({ [name]: 'n'.repeat(5000) })?.name?.length, 300)
  assert.equal(claimedBase({}, { 'org.opencontainers.image.title': 'a' }), undefined)
  assert.equal(claimedBase(Object.create({ [name]: 'inherited' }) as Record<string, string>), undefined)
})

test('what the base already had', () => {
  const base = new Set(['A', 'B'])
  assert.equal(wasInBase(['B'], base), true)
  assert.equal(wasInBase(['C', 'A'], base), true, 'the base had it, whoever brought it again')
  assert.equal(wasInBase(['C'], base), false)
  assert.equal(wasInBase([], base), 'unknown')
  assert.equal(wasInBase(['C', undefined], base), 'unknown')
  assert.equal(wasInBase(['A'], undefined), 'unknown')
})
