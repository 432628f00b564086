// A gate over a store of its own, and who asks it: what the tests of this folder share.
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import type { LazaretError } from '../kit/errors.ts'
import type { Answer, OciRequest } from '../kit/http.ts'
import type { Action, Principal } from '../model/access.ts'
import type { Decision, Reason } from '../model/verdict.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import { repositoryFinder } from '../store/repositories.ts'
import { openWorld, type Pushed, type World } from '../store/suites/world.ts'
import { createVerdictWaiters, putVerdict, type VerdictWaiters } from '../store/verdicts.ts'
import { createGate, type Gate } from './gate.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'gate')
let opened = 0

export const who = (...actions: Action[]): Principal => ({
  kind: 'user',
  name: 'u',
  grants: actions.map((action) => ({ action, pattern: 'shop/**' })),
})
export const [puller, pusher, scanner] = [who('pull'), who('pull', 'push'), who('read-quarantined')]
export const reason: Reason = {
  rule: 'critical-with-fix',
  effect: 'deny',
  severity: 'critical',
  message: 'CVE-1 in openssl 1 (critical), fixed in 2',
  remedy: 'r',
  evidence: {},
}

export interface Place {
  world: World
  gate: Gate
  waiters: VerdictWaiters
  /** `SUBJECT STANDING` of each read that only the grant let through. */
  passed: string[]
}

export async function begin(options: { enforcing?: boolean; waitSeconds?: number } = {}): Promise<Place> {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  const world = await openWorld(stack, async () => records)
  const waiters = createVerdictWaiters(() => world.clock.now)
  const passed: string[] = []
  const gate = createGate({
    manifests: world.manifests,
    blobs: world.blobs,
    waiters,
    findRepository: repositoryFinder(records),
    enforcing: options.enforcing ?? true,
    waitSeconds: options.waitSeconds ?? 0,
    graceMs: 100_000,
    onPassedByGrant: async (_request, subject, standing) => void passed.push(`${subject} ${standing}`),
    now: () => world.clock.now,
  })
  return { world, gate, waiters, passed }
}

export function request(principal: Principal, reference: string, more: Partial<OciRequest> = {}): OciRequest {
  return {
    principal,
    address: '192.0.2.1',
    repository: 'shop/api',
    reference,
    query: new URLSearchParams(),
    headers: {},
    body: Readable.from([]),
    signal: new AbortController().signal,
    ...more,
  }
}

export async function judge(world: World, pushed: Pushed, decision: Decision, validUntil?: number): Promise<void> {
  const verdict = {
    decision,
    policy: 'balanced',
    policyRevision: 'r',
    evidenceRevision: 1,
    judgedAt: new Date(world.clock.now).toISOString(),
  }
  const until = validUntil === undefined ? {} : { validUntil: new Date(validUntil).toISOString() }
  const reasons = decision === 'deny' ? [reason] : decision === 'warn' ? [{ ...reason, effect: 'warn' as const }] : []
  await world.records.write(async (tx) => {
    const { id } = await tx.selectFrom('manifests').select('id').where('digest', '=', pushed.digest).executeTakeFirstOrThrow()
    await putVerdict(tx, pushed.repositoryId, id, { ...verdict, ...until, reasons })
  })
}

export async function outcome(answer: Promise<Answer>): Promise<string> {
  try {
    const { status, body } = await answer
    if (body instanceof Readable) body.destroy()
    return String(status)
  } catch (error) {
    const { status, code, headers } = error as LazaretError
    return `${status} ${code}${headers['retry-after'] === undefined ? '' : ' again'}`
  }
}

export function bodyOf(answer: Answer): unknown {
  return JSON.parse(answer.body as string)
}
