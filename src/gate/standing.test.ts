import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Action, Principal } from '../model/access.ts'
import type { ManifestKind } from '../model/manifest.ts'
import type { Decision } from '../model/verdict.ts'
import { bestPassage, mayLook, passageOf, type Passage } from './standing.ts'

const who = (...actions: Action[]): Principal => ({
  kind: 'user',
  name: 'u',
  grants: actions.map((action) => ({ action, pattern: action === 'admin' ? '' : 'shop/**' })),
})
const callers = { puller: who('pull'), pusher: who('pull', 'push'), admin: who('admin'), scanner: who('read-quarantined'), stranger: who() }
const decisions: (Decision | null)[] = ['allow', 'warn', 'deny', 'pending', null]
const judged: ManifestKind[] = ['image', 'artifact', 'index']

test('the full table: who, what it is, how it stands, whether the policy refuses', () => {
  const enforced: Record<keyof typeof callers, Passage[]> = {
    puller: ['passes', 'passes', 'denied', 'pending', 'pending'],
    pusher: ['passes', 'passes', 'denied', 'pending', 'pending'],
    admin: ['passes', 'passes', 'denied', 'pending', 'pending'],
    scanner: ['passes', 'passes', 'passes-by-grant', 'passes-by-grant', 'passes-by-grant'],
    stranger: ['passes', 'passes', 'denied', 'pending', 'pending'],
  }
  for (const [name, caller] of Object.entries(callers)) {
    for (const kind of judged) {
      assert.deepEqual(
        decisions.map((decision) => passageOf(caller, 'shop/api', { kind, decision }, true)),
        enforced[name as keyof typeof callers],
        `${name} ${kind}`,
      )
      assert.deepEqual(
        decisions.map((decision) => passageOf(caller, 'shop/api', { kind, decision }, false)),
        Array(5).fill('passes'),
        `${name} ${kind} under observe`,
      )
    }
  }
})

test('a build cache is for those who push there, however it stands and whatever the policy', () => {
  const wanted = { puller: 'cache', pusher: 'passes', admin: 'passes', scanner: 'cache', stranger: 'cache' }
  for (const [name, caller] of Object.entries(callers)) {
    for (const decision of decisions) {
      for (const enforcing of [true, false])
        assert.equal(passageOf(caller, 'shop/api', { kind: 'cache', decision }, enforcing), wanted[name as keyof typeof callers], name)
    }
  }
  assert.equal(passageOf(callers.pusher, 'web/api', { kind: 'cache', decision: null }, true), 'cache')
})

test('nothing unknown passes', () => {
  for (const strange of ['ALLOW', 'allowed', '', 'Warn', 'true', undefined, 0, {}, 'error']) {
    for (const kind of [...judged, 'later-kind' as ManifestKind]) {
      const standing = { kind, decision: strange as Decision }
      assert.equal(passageOf(callers.puller, 'shop/api', standing, true), 'pending', JSON.stringify(strange))
    }
  }
})

test('the grant counts where it is for, and no rank stands for it', () => {
  const elsewhere: Principal = {
    ...callers.scanner,
    grants: [
      { action: 'read-quarantined', pattern: 'web/**' },
      { action: 'admin', pattern: '' },
    ],
  }
  assert.equal(passageOf(elsewhere, 'shop/api', { kind: 'image', decision: 'deny' }, true), 'denied')
})

test('a blob goes by the best of those that hold it', () => {
  const [cache, held, waiting, fine] = [
    { kind: 'cache', decision: 'deny' },
    { kind: 'image', decision: 'deny' },
    { kind: 'image', decision: null },
    { kind: 'image', decision: 'warn' },
  ] as { kind: ManifestKind; decision: Decision | null }[]
  assert.ok(cache !== undefined && held !== undefined && waiting !== undefined && fine !== undefined)
  const best = (caller: Principal, ...standings: { kind: ManifestKind; decision: Decision | null }[]) =>
    bestPassage(caller, 'shop/api', standings, true)
  assert.deepEqual(best(callers.puller, held, cache), { standing: held, passage: 'denied' })
  assert.deepEqual(best(callers.puller, cache, held, waiting), { standing: waiting, passage: 'pending' })
  assert.deepEqual(best(callers.puller, cache, held, fine), { standing: fine, passage: 'passes' })
  assert.deepEqual(best(callers.pusher, held, cache), { standing: cache, passage: 'passes' })
  assert.deepEqual(best(callers.scanner, cache, waiting), { standing: waiting, passage: 'passes-by-grant' })
  assert.deepEqual(best(callers.scanner, cache), { standing: cache, passage: 'cache' })
  assert.throws(() => best(callers.admin), TypeError)
})

test('who may look: by the scope of the token, where there is one', () => {
  assert.deepEqual(
    Object.entries(callers)
      .filter(([, caller]) => mayLook(caller, 'shop/api'))
      .map(([name]) => name),
    ['pusher', 'admin'],
  )
  assert.equal(mayLook(who('delete'), 'shop/api'), true)
  assert.equal(mayLook(callers.pusher, 'web/api'), false)
  assert.equal(mayLook({ ...callers.pusher, scope: new Map([['shop/api', new Set(['pull'])]]) }, 'shop/api'), false)
  assert.equal(mayLook({ ...callers.pusher, scope: new Map([['shop/api', new Set(['pull', 'push'])]]) }, 'shop/api'), true)
})
