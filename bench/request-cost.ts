// What a manifest GET costs the server in CPU time, signed in and with the gate on: of this checkout, or of two, turn by turn.
// Run: sh bin/run bench/request-cost.ts [OTHER-CHECKOUT [INSTEAD-OF-THIS]]
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const here = process.argv[3] ?? join(import.meta.dirname, '..')
const other = process.argv[2]
const authorization = `Basic ${Buffer.from('admin:the-admin-of-this-bench').toString('base64')}`
const agent = new Agent({ keepAlive: true, maxSockets: 8 })
const requests = 20_000
const rounds = 9

interface Server {
  name: string
  child: ChildProcess
  port: number
  data: string
}

const servers = await Promise.all([here, ...(other === undefined ? [] : [other])].map(start))
for (const server of servers) await seed(server)
const costs = new Map(servers.map(({ name }) => [name, [] as number[]]))
for (let round = 0; round <= rounds; round++) {
  for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
    const before = await cpuMs(server)
    await Promise.all(Array.from({ length: 8 }, () => several(server, requests / 8)))
    const cost = (((await cpuMs(server)) - before) * 1000) / requests
    if (round > 0) costs.get(server.name)?.push(cost) // the first warms up
  }
}
for (const [name, found] of costs) {
  const sorted = found.toSorted((a, b) => a - b)
  console.log(`${name}: ${show(sorted[Math.floor(sorted.length / 2)])} µs of CPU a request (${show(sorted[0])} to ${show(sorted.at(-1))})`)
}
for (const { child, data } of servers) {
  child.kill('SIGTERM')
  await new Promise((resolve) => child.once('exit', resolve))
  await rm(data, { recursive: true, force: true })
}
agent.destroy()

function show(microseconds: number | undefined): string {
  return (microseconds ?? Number.NaN).toFixed(1)
}

async function start(checkout: string): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), 'lazaret-bench-'))
  const port = await freePort()
  const child = spawn(join(checkout, 'bin', 'lazaret'), ['serve'], {
    cwd: data,
    stdio: 'ignore',
    env: {
      ...process.env,
      LAZARET_LISTEN: `127.0.0.1:${port}`,
      LAZARET_DATA: join(data, 'data'),
      LAZARET_ADMIN_PASSWORD: 'the-admin-of-this-bench',
      LAZARET_POLICY: 'balanced',
      LAZARET_OFFLINE: 'true',
    },
  })
  const server = { name: checkout, child, port, data }
  for (let looks = 0; !(await isReady(server)); looks++) {
    if (looks > 200) throw new Error(`${checkout} does not start`)
    await sleep(100)
  }
  return server
}

async function isReady({ port }: Server): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/health/ready`).then(
    ({ status }) => status === 200,
    () => false,
  )
}

/** An index without children is judged like any other, and needs no layers. */
async function seed(server: Server): Promise<void> {
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }))
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`
  await must(server, 'POST', `/v2/bench/image/blobs/uploads/?digest=${digest}`, config, 'application/octet-stream')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length },
    layers: [],
  }
  await must(server, 'PUT', '/v2/bench/image/manifests/1', Buffer.from(JSON.stringify(manifest)), mediaType)
  await must(server, 'GET', '/v2/bench/image/manifests/1')
}

async function must(server: Server, method: string, path: string, body?: Buffer, type?: string): Promise<void> {
  const status = await ask(server, method, path, body, type)
  if (status >= 300) throw new Error(`${method} ${path}: ${status}`)
}

async function several(server: Server, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    const status = await ask(server, 'GET', '/v2/bench/image/manifests/1')
    if (status !== 200) throw new Error(`a manifest was answered ${status}`)
  }
}

function ask({ port }: Server, method: string, path: string, body?: Buffer, type?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, ...(type === undefined ? {} : { 'content-type': type }) }
    const sent = request({ host: '127.0.0.1', port, method, path, agent, headers }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

/** Of the server's own process; its worker rests. proc(5): utime and stime, in ticks of 10 ms. */
async function cpuMs({ child }: Server): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
