import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { scratch } from '../../test/support/scratch.ts'
import { createLog } from '../kit/log.ts'
import { addJob, leaseMs, mostAttempts, type JobKind } from '../store/jobs/jobs.ts'
import type { Records } from '../store/records/records.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import { createRunner, type Runner } from './runner.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'runner')
let opened = 0

interface World {
  records: Records
  runner: Runner
  clock: { now: number }
  lines: string[]
  /** What was called, in order. */
  done: string[]
  /** What each job does beside that. */
  work: { of: (subject: string) => Promise<void> }
}

async function begin(): Promise<World> {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  const clock = { now: 1_800_000_000_000 }
  const [lines, done]: [string[], string[]] = [[], []]
  const work: World['work'] = { of: async () => undefined }
  const finish = (id: number) => records.write((tx) => tx.deleteFrom('jobs').where('id', '=', id).execute())
  const run = async (what: string, subject: string, id: number) => {
    done.push(`${what} ${subject}`)
    await work.of(subject)
    if (id !== 0) await finish(id)
  }
  const giveUp = async (subject: string, problem: string) => void done.push(`give up ${subject}: ${problem}`)
  const runner = createRunner({
    records,
    inventories: {
      async of(digest, also) {
        await run('inventory', digest, 0)
        if (also !== undefined) await records.write(also)
        return { digest, state: 'json' }
      },
      giveUp,
    },
    examinations: {
      examine: (digest, id) => run('examine', digest, id),
      rejudge: (subject, id) => run('rejudge', subject, id),
      rematch: (id) => run('rematch', '*', id),
      giveUp,
    },
    log: createLog({ level: 'debug', write: (line) => lines.push(line), pretty: false }),
    now: () => clock.now,
  })
  stack.defer(() => runner.stop())
  return { records, runner, clock, lines, done, work }
}

const add = (world: World, kind: JobKind, subject: string) => world.records.write((tx) => addJob(tx, kind, subject, world.clock.now))

async function rows(world: World) {
  return (await world.records.read.selectFrom('jobs').select(['subject', 'state', 'attempts', 'problem']).execute()).map((row) => ({
    ...row,
  }))
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (await what()) return
    await sleep(2)
  }
  assert.fail('it did not come to pass')
}

test('every kind is done, by its own hand, and leaves no row', async () => {
  const world = await begin()
  for (const kind of ['inventory', 'examine', 'rejudge', 'rematch'] as const) await add(world, kind, kind === 'rematch' ? '*' : 'x')
  world.runner.start()
  await until(async () => (await rows(world)).length === 0)
  assert.deepEqual(world.done, ['inventory x', 'examine x', 'rejudge x', 'rematch *'])
})

test('chains of images that were here before are a job as any other', async () => {
  const world = await begin()
  await add(world, 'chains', '0')
  world.runner.start()
  await until(async () => (await rows(world)).length === 0)
  assert.deepEqual(world.done, [])
})

test('more than are done at once are done one after the other, soon after a wake', async () => {
  const world = await begin()
  world.runner.start()
  await sleep(20)
  let [running, most] = [0, 0]
  world.work.of = async () => {
    most = Math.max(most, ++running)
    await sleep(2)
    running--
  }
  for (let at = 0; at < 30; at++) await add(world, 'examine', `s${at}`)
  const start = performance.now()
  world.runner.wake()
  await until(async () => (await rows(world)).length === 0)
  assert.ok(performance.now() - start < 900, 'not one a turn')
  assert.equal(most, 4)
})

test('what fails is tried again later, told each time, and given up with its problem', async () => {
  const world = await begin()
  world.work.of = () => Promise.reject(new Error('no luck\nat all'))
  await add(world, 'examine', 'x')
  await add(world, 'inventory', 'y')
  await add(world, 'rejudge', 'z')
  world.runner.start()
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    await until(
      () => world.done.filter((what) => what === 'examine x' || what === 'inventory y' || what === 'rejudge z').length === attempt * 3,
    )
    await until(async () => (await rows(world)).every((row) => row.state !== 'running'))
    world.clock.now += 10_000_000
    world.runner.wake()
  }
  const failed = await rows(world)
  assert.deepEqual(
    new Set(failed.map((row) => `${row.state} ${row.attempts} ${row.problem}`)),
    new Set([`failed ${mostAttempts} no luck at all`]),
  )
  assert.deepEqual(world.done.filter((what) => what.startsWith('give up')).toSorted(), [
    'give up x: no luck at all',
    'give up y: no luck at all',
  ])
  assert.equal(world.lines.filter((line) => line.includes('job failed')).length, mostAttempts * 3)
})

test('one that ends the process each time is given up without another try', async () => {
  const world = await begin()
  await add(world, 'examine', 'poison')
  await world.records.write((tx) =>
    tx
      .updateTable('jobs')
      .set({ attempts: mostAttempts, state: 'running', lease_until: world.clock.now - leaseMs })
      .execute(),
  )
  world.runner.start()
  await until(async () => (await rows(world))[0]?.state === 'failed')
  assert.deepEqual(
    world.done.map((what) => what.slice(0, 31)),
    ['give up poison: it ended the se'],
  )
})

test('what can not be given up yet is tried again when its lease has run out', async () => {
  const world = await begin()
  await add(world, 'examine', 'x')
  world.work.of = () => Promise.reject(new Error('no luck'))
  await world.records.write((tx) =>
    tx
      .updateTable('jobs')
      .set({ attempts: mostAttempts - 1 })
      .execute(),
  )
  const write = world.records.write
  let broken = true
  world.records.write = (change) => (broken && world.done.length > 0 ? Promise.reject(new Error('the disk is full')) : write(change))
  world.runner.start()
  await until(() => world.lines.some((line) => line.includes('job could not be put back')))
  broken = false
  world.clock.now += leaseMs + 1
  world.runner.wake()
  await until(async () => (await rows(world))[0]?.state === 'failed')
})

test('stopped: what was under way is back in the queue, and lost no attempt', async () => {
  const world = await begin()
  const ended = Promise.withResolvers<void>()
  world.work.of = () => ended.promise
  await add(world, 'examine', 'long')
  world.runner.start()
  await until(() => world.done.length === 1)
  const stopping = world.runner.stop()
  ended.reject(new Error('the worker ended (SIGTERM)'))
  await stopping
  assert.deepEqual(await rows(world), [{ subject: 'long', state: 'waiting', attempts: 0, problem: null }])
  assert.ok(!world.lines.some((line) => line.includes('job failed')))
  await add(world, 'examine', 'after')
  world.runner.wake()
  await sleep(20)
  assert.deepEqual(world.done, ['examine long'])
})

test('records that fail for a while stop nothing for good', async () => {
  const world = await begin()
  const write = world.records.write
  world.records.write = () => Promise.reject(new Error('the database is away'))
  world.runner.start()
  await until(() => world.lines.some((line) => line.includes('jobs could not be read')))
  world.records.write = write
  await add(world, 'examine', 'x')
  world.runner.wake()
  await until(async () => (await rows(world)).length === 0)
})

test('a clock that is set back keeps nothing waiting, while it runs and at a start', async () => {
  const world = await begin()
  await add(world, 'examine', 'before the start')
  world.clock.now -= 3_600_000
  world.runner.start()
  await until(async () => (await rows(world)).length === 0)
  await add(world, 'examine', 'while it runs')
  world.clock.now -= 3_600_000
  world.runner.wake()
  await until(() => world.lines.filter((line) => line.includes('the clock was set back')).length === 2)
  await until(async () => (await rows(world)).length === 0)
})
