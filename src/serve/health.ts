import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { sql } from 'kysely'
import type { FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'
import { messageOf } from '../kit/errors.ts'
import { asNoRoom } from '../kit/no-room.ts'
import { lazaretVersion } from './version.ts'

/** `ok`; `limited`: pulls go on, and pushes are refused; `failing`. */
type State = 'ok' | 'limited' | 'failing'

interface Part {
  state: State
  /** Why, where it is not ok. */
  problem?: string
}

type Look = () => Promise<Part>

const mostLookMs = 5000
/** A write costs a sync of the disk: probes come every few seconds, from several places. */
const writeEveryMs = 10_000
/** Work that is due for longer, while nothing moves, is stuck. */
const stuckMs = 600_000

const ok: Part = { state: 'ok' }

/** `live`: the process answers. `ready`: it can serve, part by part; 503 where one is failing. */
export function healthRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const looks: Record<string, Look> = {
    records: bounded(lookAtRecords(house)),
    blobs: bounded(lookAtBlobs(house)),
    disk: async () => lookAtDisk(house),
    advisories: bounded(async () => (house.advisories().revision === '' ? failing('there are none') : ok)),
    worker: lookAtWorker(house),
    queue: bounded(() => lookAtQueue(house)),
  }
  return async (app) => {
    app.get('/health/live', async () => ({ status: 'ok' }))
    app.get('/health/ready', async (_request, reply) => {
      const found = await Promise.all(Object.entries(looks).map(async ([name, look]) => [name, await look()] as const))
      const states = found.map(([, { state }]) => state)
      const status = (['failing', 'limited'] as const).find((state) => states.includes(state)) ?? 'ok'
      const parts = Object.fromEntries(
        found.map(([name, { state, problem }]) => [name, problem === undefined ? state : `${state}: ${problem}`]),
      )
      return reply
        .code(status === 'failing' ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({ status, version: lazaretVersion, parts })
    })
  }
}

function failing(problem: string): Part {
  return { state: 'failing', problem }
}

/** A look that throws, or takes too long, found what is failing. */
function bounded(look: Look): Look {
  return async () => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Part>((resolve) => {
      timer = setTimeout(() => resolve(failing(`no answer within ${mostLookMs / 1000} s`)), mostLookMs)
    })
    try {
      return await Promise.race([look(), late])
    } catch (error) {
      return failing(messageOf(error))
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Reads each time; writes now and then. A disk without room stops pushes, not pulls. */
function lookAtRecords({ records }: House): Look {
  let written: { at: number; outcome: Promise<Part> } | undefined

  async function write(): Promise<Part> {
    try {
      await records.write((tx) =>
        tx
          .insertInto('meta')
          .values({ key: 'written', value: new Date().toISOString() })
          .onConflict((conflict) => conflict.column('key').doUpdateSet((of) => ({ value: of.ref('excluded.value') })))
          .execute(),
      )
      return ok
    } catch (error) {
      return asNoRoom(error) === undefined ? failing(messageOf(error)) : { state: 'limited', problem: 'the disk is full' }
    }
  }

  return async () => {
    await sql`select 1`.execute(records.read)
    if (written === undefined || Date.now() - written.at >= writeEveryMs) written = { at: Date.now(), outcome: write() }
    return written.outcome
  }
}

/** What is there can be read without the right to write: then pulls go on. */
function lookAtBlobs({ settings }: House): Look {
  return async () => {
    await access(settings.blobs, constants.R_OK | constants.X_OK)
    try {
      await access(settings.blobs, constants.W_OK)
      return ok
    } catch (error) {
      return { state: 'limited', problem: messageOf(error) }
    }
  }
}

function lookAtDisk({ disk }: House): Part {
  const low = disk.low()
  if (low === undefined) return ok
  return { state: 'limited', problem: `${low.freeBytes} bytes are left of ${low.totalBytes}, below the mark of ${low.lowWaterBytes}` }
}

/** One that ended begins anew with the next task, or here; one that is gone again at the next look does not begin. */
function lookAtWorker({ workers }: House): Look {
  let wasGone = false
  return async () => {
    const isGone = workers.state().pid === undefined
    const twice = isGone && wasGone
    wasGone = isGone
    if (isGone) workers.start()
    return twice ? failing('the process that examines images ends as soon as it begins: see the log') : ok
  }
}

async function lookAtQueue({ records, runner }: House): Promise<Part> {
  const now = Date.now()
  if (now - runner.movedAt() < stuckMs) return ok
  const due = await records.read
    .selectFrom('jobs')
    .select(['kind', 'run_after'])
    .where('state', '=', 'waiting')
    .where('priority', '=', 0)
    .where('run_after', '<=', now - stuckMs)
    .orderBy('run_after')
    .limit(1)
    .executeTakeFirst()
  if (due === undefined) return ok
  return failing(
    `work (${due.kind}) is due since ${new Date(due.run_after).toISOString()}, and nothing moved since ${new Date(runner.movedAt()).toISOString()}`,
  )
}
