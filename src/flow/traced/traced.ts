import type { SignIn } from '../../access/signin.ts'
import type { Gate, GateParts } from '../../gate/gate.ts'
import type { Log } from '../../kit/log.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import type { Tracing } from '../../kit/tracing/tracing.ts'
import type { Job } from '../../store/jobs/jobs.ts'
import type { ObjectStore } from '../../store/objects/objects.ts'
import type { Records } from '../../store/records/records.ts'
import type { Inventories } from '../inventories.ts'
import type { WorkerPool } from '../worker/pool.ts'

/** What is put around the parts of the house so that their work is seen in traces; each gives back a part of the same form. */
export interface Traced {
  /** Absent where nothing is traced. */
  tracing?: Tracing
  records(records: Records): Records
  objects(objects: ObjectStore): ObjectStore
  signIn(signIn: SignIn): SignIn
  gate(gate: Gate): Gate
  onDecided?: NonNullable<GateParts['onDecided']>
  inventories(inventories: Inventories): Inventories
  workers(workers: WorkerPool): WorkerPool
  job(job: Job, work: () => Promise<void>): Promise<void>
}

const untraced: Traced = {
  records: (records) => records,
  objects: (objects) => objects,
  signIn: (signIn) => signIn,
  gate: (gate) => gate,
  inventories: (inventories) => inventories,
  workers: (workers) => workers,
  job: (_job, work) => work(),
}

/**
 * In: the settings. Out: where they name a collector, what traces the house; else every part is handed back as it came, and nothing of
 * tracing is loaded. What was set for many programs and can't be used here is said in the log.
 */
export async function openTraced(settings: Settings, log: Log): Promise<Traced> {
  for (const note of settings.notes) log.warn({ setting: note }, 'a variable is not used')
  const { endpoint } = settings.tracing
  if (endpoint === undefined) return untraced
  if (settings.offline) {
    log.warn({ collector: endpoint }, 'no traces: offline is set')
    return untraced
  }
  const { createTraced } = await import('./around.ts')
  return createTraced(settings, endpoint, log)
}
