import { readdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'
import type { HouseFigures } from '../flow/figures.ts'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { type Metrics, openMetricsType } from '../kit/metrics.ts'
import type { Address } from '../kit/settings/network.ts'
import { isAdmin } from '../model/access.ts'
import { addressOf } from './forwarded.ts'
import { errorAnswer } from './oci/errors.ts'
import { noteError, notePrincipal } from './request-note.ts'
import { traceFigures } from './traces.ts'
import { lazaretVersion } from './version.ts'

/** Brings the gauges up to date. Out: the text of `/metrics`. */
export type Scrape = () => Promise<string>

/** In: the house, and the registry that requests are counted in. Out: how it is asked. */
export function createScrape(house: House, metrics: Metrics, openRequests: () => number): Scrape {
  const open = metrics.gauge({ name: 'lazaret_http_requests_open', help: 'Requests under way.' })
  metrics.info(
    { name: 'lazaret_build', help: 'What runs.' },
    { version: lazaretVersion, node: process.versions.node, records: house.records.kind, policy: house.settings.policy },
  )
  const parts: Update[] = [processGauges(metrics), houseGauges(house, metrics), storeGauges(house, metrics), advisoryGauges(house, metrics)]
  if (house.tracing !== undefined) parts.push(traceFigures(house.tracing, metrics))
  return async () => {
    open.set(openRequests())
    for (const update of parts) await update()
    return metrics.text()
  }
}

type Update = () => Promise<void> | void

/** Under the names that dashboards for Node know. */
function processGauges(metrics: Metrics): Update {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const cpu = metrics.counter({ name: 'process_cpu_seconds', unit: 'seconds', help: 'CPU time of this process, without its worker.' }).of()
  const resident = metrics.gauge({
    name: 'process_resident_memory_bytes',
    unit: 'bytes',
    help: 'Memory that this process holds, without its worker.',
  })
  const heap = metrics.gauge({ name: 'nodejs_heap_size_used_bytes', unit: 'bytes', help: 'JavaScript heap in use.' })
  const external = metrics.gauge({ name: 'nodejs_external_memory_bytes', unit: 'bytes', help: 'Buffers beside the heap.' })
  const started = metrics.gauge({ name: 'process_start_time_seconds', unit: 'seconds', help: 'Since 1970.' })
  const files = metrics.gauge({ name: 'process_open_fds', help: 'Open files and connections.' })
  const late = (word: string) =>
    metrics.gauge({
      name: `nodejs_eventloop_lag_${word}_seconds`,
      unit: 'seconds',
      help: `How late timers come since the last scrape, ${word}.`,
    })
  const [p50, p99, most] = [late('p50'), late('p99'), late('max')]
  started.set(performance.timeOrigin / 1000)
  let counted = 0
  return async () => {
    const { user, system } = process.cpuUsage()
    cpu.add((user + system) / 1e6 - counted)
    counted = (user + system) / 1e6
    const memory = process.memoryUsage()
    resident.set(memory.rss)
    heap.set(memory.heapUsed)
    external.set(memory.external)
    files.replace(await openFiles())
    p50.set(delay.percentile(50) / 1e9)
    p99.set(delay.percentile(99) / 1e9)
    most.set(delay.max / 1e9)
    delay.reset()
  }
}

/** Where the system does not say, there is no series. */
async function openFiles(): Promise<[number][]> {
  try {
    return [[(await readdir('/proc/self/fd')).length]]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function houseGauges(house: House, metrics: Metrics): Update {
  const running = metrics.gauge({ name: 'lazaret_worker_running', help: '1 while the process that examines images is there.' })
  const tasks = metrics.gauge({ name: 'lazaret_worker_tasks', help: 'Tasks that it is at, or that wait for it.' })
  const ended = metrics.counter({ name: 'lazaret_worker_ended', help: 'How often it ended without being told to.' }).of()
  const free = metrics.gauge({ name: 'lazaret_disk_free_bytes', unit: 'bytes', help: 'Room left on the volume.', labels: ['folder'] })
  const size = metrics.gauge({ name: 'lazaret_disk_size_bytes', unit: 'bytes', help: 'Size of the volume.', labels: ['folder'] })
  const low = metrics.gauge({ name: 'lazaret_disk_low', help: '1 while pushes are refused, as too little room is left.' })
  const nameOf = (folder: string) => (folder === house.settings.data ? 'data' : 'blobs')
  let endedBefore = 0
  return () => {
    const worker = house.workers.state()
    running.set(worker.pid === undefined ? 0 : 1)
    tasks.set(worker.tasks)
    ended.add(worker.ended - endedBefore)
    endedBefore = worker.ended
    const rooms = house.disk.rooms()
    free.replace(rooms.map((room) => [room.freeBytes, nameOf(room.folder)]))
    size.replace(rooms.map((room) => [room.totalBytes, nameOf(room.folder)]))
    low.set(house.disk.low() === undefined ? 0 : 1)
  }
}

const decisions = ['allow', 'warn', 'deny', 'pending'] as const
const jobStates = ['waiting', 'running', 'failed'] as const

/** Absent until they were counted once. */
function storeGauges(house: House, metrics: Metrics): Update {
  const gauge = (name: string, help: string, labels: readonly string[] = []) => metrics.gauge({ name: `lazaret_${name}`, help, labels })
  const verdicts = gauge('verdicts', 'Verdicts that stand, by decision.', ['decision'])
  const blobs = gauge('store_blobs', 'Blobs in the store.')
  const bytes = metrics.gauge({ name: 'lazaret_store_bytes', unit: 'bytes', help: 'Bytes of those blobs, each counted once.' })
  const uploads = gauge('uploads_open', 'Uploads that were begun, and have not ended or expired.')
  const jobs = gauge('jobs', 'What there is to do.', ['state', 'kind'])
  const age = metrics.gauge({
    name: 'lazaret_jobs_oldest_seconds',
    unit: 'seconds',
    help: 'Age of the job that waits longest; 0 where none waits.',
  })
  const countedAt = metrics.gauge({
    name: 'lazaret_counted_timestamp_seconds',
    unit: 'seconds',
    help: 'When the store was counted last, since 1970.',
  })
  const collected = collectionCounters(metrics)
  return async () => {
    const figures = await house.figures.current()
    if (figures === undefined) return
    verdicts.replace(decisions.map((decision) => [figures.verdicts.get(decision) ?? 0, decision]))
    blobs.set(figures.blobs.count)
    bytes.set(figures.blobs.bytes)
    uploads.set(figures.uploads)
    jobs.replace(jobSeries(figures))
    age.set(figures.oldestJobAt === undefined ? 0 : Math.max(0, (Date.now() - figures.oldestJobAt) / 1000))
    countedAt.set(figures.countedAt / 1000)
    collected(figures.collections)
  }
}

/** Kinds that have nothing to do stay at 0, rather than their series ending. */
function jobSeries({ jobs }: HouseFigures): [number, string, string][] {
  const kinds = new Set(['inventory', 'examine', 'rejudge', 'rematch', 'chains', ...jobs.map(({ kind }) => kind)])
  return jobStates.flatMap((state) =>
    [...kinds].map((kind): [number, string, string] => [
      jobs.find((job) => job.state === state && job.kind === kind)?.count ?? 0,
      state,
      kind,
    ]),
  )
}

function collectionCounters(metrics: Metrics): (collections: HouseFigures['collections']) => void {
  const runs = metrics.counter({ name: 'lazaret_collections', help: 'Collections that ended, by how.', labels: ['result'] })
  const freed = metrics.counter({ name: 'lazaret_collection_freed_bytes', unit: 'bytes', help: 'What they freed.' })
  const things = metrics.counter({ name: 'lazaret_collection_freed', help: 'What they freed, by what it was.', labels: ['what'] })
  const rising = (add: (amount: number) => void) => {
    let before = 0
    return (total: number) => {
      add(total - before)
      before = total
    }
  }
  const ended = rising((amount) => runs.of('ended').add(amount))
  const broken = rising((amount) => runs.of('broken').add(amount))
  const bytes = rising((amount) => freed.of().add(amount))
  const kinds = (['links', 'manifests', 'blobs', 'uploads', 'objects'] as const).map(
    (what) => [what, rising((amount) => things.of(what).add(amount))] as const,
  )
  return (collections) => {
    ended(collections.ended)
    broken(collections.broken)
    bytes(collections.freed.bytes)
    for (const [what, set] of kinds) set(collections.freed[what])
  }
}

const daySeconds = 86_400

function advisoryGauges(house: House, metrics: Metrics): Update {
  const ages = metrics.gauge({
    name: 'lazaret_advisories_age_seconds',
    unit: 'seconds',
    help: 'Age of the newest record of each source, in whole days.',
    labels: ['source'],
  })
  const fetched = metrics.gauge({
    name: 'lazaret_advisories_fetched_age_seconds',
    unit: 'seconds',
    help: 'How long ago each source was asked and all was well.',
    labels: ['source', 'part'],
  })
  const failures = metrics.gauge({
    name: 'lazaret_advisories_fetch_failures',
    help: 'Tries in a row at each source that failed.',
    labels: ['source', 'part'],
  })
  let revision: string | undefined
  let readAt = 0
  return () => {
    const now = Date.now()
    const rows = house.advisoryUpdates.rows()
    fetched.replace(rows.flatMap(({ source, part, ageSeconds }) => (ageSeconds === undefined ? [] : [[ageSeconds, source, part] as const])))
    failures.replace(rows.map((row) => [row.failures, row.source, row.part]))
    const open = house.advisories()
    if (open.revision === revision && now - readAt < 600_000) return
    ages.replace(open.status().sources.map(({ source, ageDays }) => [ageDays * daySeconds, source]))
    revision = open.revision
    readAt = now
  }
}

/** `/metrics` beside the registry: for administrators, as it tells how large and how busy the house is. */
export function metricsRoutes(house: House, scrape: Scrape): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.setErrorHandler(async (error, request, reply) => {
      noteError(request.raw, error)
      const answer = errorAnswer(error)
      if (answer.status >= 500) house.log.error({ requestId: request.id, err: error }, 'metrics failed')
      if (answer.status === 401) answer.headers['www-authenticate'] = 'Basic realm="lazaret"'
      return reply.code(answer.status).headers(answer.headers).send(answer.body)
    })
    app.get('/metrics', async (request, reply) => {
      const principal = await house.signIn.authenticate(request.headers.authorization, addressOf(request.raw))
      notePrincipal(request.raw, principal)
      if (principal.kind === 'anonymous') throw new LazaretError('UNAUTHORIZED', 'sign in first')
      if (principal.scope !== undefined || !isAdmin(principal)) throw new LazaretError('DENIED', `${principal.name} has no grant admin`)
      return reply
        .header('content-type', openMetricsType)
        .header('cache-control', 'no-store')
        .send(await scrape())
    })
  }
}

const headMs = 10_000

/** A listener for `/metrics` alone. Out: once it listens. Throws what listening throws. */
export function listenForMetrics(address: Address, scrape: Scrape, log: House['log']): Promise<Server> {
  const server = createServer({ headersTimeout: headMs, requestTimeout: headMs, maxHeaderSize: 8192 }, (request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (request.url?.split('?', 1)[0] !== '/metrics' || !isRead) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end('only GET /metrics is here\n')
      return
    }
    scrape().then(
      (text) => response.writeHead(200, { 'content-type': openMetricsType, 'content-length': Buffer.byteLength(text) }).end(text),
      (error: unknown) => {
        log.error({ err: error, problem: messageOf(error) }, 'metrics failed')
        response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end('the log says why\n')
      },
    )
  })
  server.maxConnections = 64
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}
