// The harness itself: what starts is real, what ends is gone, what is made is what it says.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openBuildah } from './buildah.ts'
import { containersHome } from './containers.ts'
import { digestsOf, writeLayout } from './content.ts'
import { freePort, startDaemon } from './daemon.ts'
import { startDockerd } from './dockerd.ts'
import { imageOf } from './images.ts'
import { tarOf } from './layers.ts'
import { startPostgres } from './postgres.ts'
import { takeLayout } from './layout.ts'
import { must, run } from './run.ts'
import { scratch } from './scratch.ts'
import { lacking } from './tools.ts'
import { readContent } from './transfer.ts'
import { fedoraBase, debianBase, npmApplication } from './worlds.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

describe('processes', { skip: lacking('setpriv', 'sleep') }, () => {
  test('a program that fails says what it printed', async () => {
    await assert.rejects(must('sh', ['-c', 'echo seen; echo why >&2; exit 3']), /exit code 3\nseen\nwhy/)
    assert.equal((await run('sh', ['-c', 'exit 3'])).code, 3)
    await assert.rejects(run('sleep', ['60'], { timeoutMs: 200 }), /took more than 200 ms/)
    await assert.rejects(run('yes', [], { limitBytes: 1000 }), /printed more than 1000 bytes/)
  })

  test('a daemon is stopped with its stack, and its folder is gone', async () => {
    const own = new AsyncDisposableStack()
    const folder = await scratch(own, 'harness')
    const daemon = await startDaemon(own, { command: 'sleep', args: ['600'], ready: async () => true })
    assert.ok(isAlive(daemon.pid))
    await own.disposeAsync()
    assert.equal(isAlive(daemon.pid), false)
    await assert.rejects(access(folder))
  })

  test('a daemon that ends before it is ready is an error with its log', async () => {
    await using own = new AsyncDisposableStack()
    await assert.rejects(
      startDaemon(own, { command: 'sh', args: ['-c', 'echo no such setting; exit 1'], ready: async () => false }),
      /ended before it was ready\nno such setting/,
    )
  })

  test('a daemon dies with a test process that is killed', async () => {
    const script = `
      const { startDaemon } = await import(${JSON.stringify(join(import.meta.dirname, 'daemon.ts'))})
      const daemon = await startDaemon(new AsyncDisposableStack(), { command: 'sleep', args: ['600'], ready: async () => true })
      console.log(daemon.pid)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))))
    assert.ok(isAlive(pid))
    parent.kill('SIGKILL')
    for (let tries = 0; tries < 50 && isAlive(pid); tries++) await sleep(50)
    assert.equal(isAlive(pid), false)
  })

  test('free ports are free', async () => {
    assert.notEqual(await freePort(), await freePort())
  })
})

describe('PostgreSQL', { skip: lacking('initdb', 'postgres', 'createdb', 'pg_isready') }, () => {
  test('databases of their own, durable settings, gone at the end', async () => {
    await using own = new AsyncDisposableStack()
    const postgres = await startPostgres(own)
    const [first, second] = [await postgres.createDatabase('first'), await postgres.createDatabase('second')]
    await using one = await connect(first)
    await one.client.query('CREATE TABLE only_here (id int)')
    assert.deepEqual((await one.client.query('SHOW fsync')).rows, [{ fsync: 'on' }])
    await using two = await connect(second)
    await assert.rejects(two.client.query('SELECT * FROM only_here'), /does not exist/)
  })
})

describe('images', { skip: lacking('skopeo', 'podman', 'buildah', 'tar') }, () => {
  test('skopeo reads what is made: config, platform, layers', async () => {
    const content = await imageOf([debianBase([{ name: 'zlib1g', version: '1:1.2.13.dfsg-1' }]), npmApplication({ minimist: '1.2.5' })], {
      packing: 'zstd',
    })
    const layout = await writeLayout(content, join(await scratch(stack, 'layout'), 'made'), '1')
    const home = await containersHome(stack)
    const inspected = await home.run('skopeo', ['inspect', `oci:${layout}:1`])
    assert.equal(inspected.code, 0, inspected.output)
    const { Digest, Architecture, Layers } = JSON.parse(inspected.stdout) as { Digest: string; Architecture: string; Layers: string[] }
    assert.deepEqual([Digest, Architecture, Layers.length], [content.root.digest, 'amd64', 2])
  })

  test('the same files make the same bytes', async () => {
    assert.deepEqual(digestsOf(await imageOf([npmApplication({ a: '1.0.0' })])), digestsOf(await imageOf([npmApplication({ a: '1.0.0' })])))
    assert.notDeepEqual(
      digestsOf(await imageOf([npmApplication({ a: '1.0.0' })])),
      digestsOf(await imageOf([npmApplication({ a: '1.0.1' })])),
    )
  })

  test('the rpm database opens as SQLite and holds a header', async () => {
    const path = join(await scratch(stack, 'rpm'), 'rpmdb.sqlite')
    await writeFile(path, (await fedoraBase())['var/lib/rpm/rpmdb.sqlite'] ?? '')
    const database = new DatabaseSync(path, { readOnly: true })
    const row = database.prepare('SELECT blob FROM Packages').get() as { blob: Uint8Array }
    database.close()
    assert.equal(Buffer.from(row.blob).readUInt32BE(0), 5)
    assert.match(Buffer.from(row.blob).toString('latin1'), /bash\0/)
  })

  test('buildah builds an image whose files are the given ones', async () => {
    const buildah = await openBuildah(stack)
    const built = await buildah.build({ 'app/hello.txt': 'hello\n' }, 'localhost/hello:1')
    assert.equal(built.code, 0, built.output)
    const layout = join(await scratch(stack, 'built'), 'out')
    const pushed = await buildah.podman(['push', 'localhost/hello:1', `oci:${layout}:1`])
    assert.equal(pushed.code, 0, pushed.output)
    const { digests = [] } = await takeLayout(layout)
    assert.equal(digests.length, 3, 'a manifest, a config, a layer')
    const root = await buildah.podman(['from', '--name', 'look', 'localhost/hello:1'])
    assert.equal(root.code, 0, root.output)
    const mounted = await buildah.podman(['mount', 'look'])
    assert.equal(mounted.code, 0, mounted.output)
    assert.equal(await readFile(join(mounted.stdout.trim(), 'app', 'hello.txt'), 'utf8'), 'hello\n')
  })

  test('a tar has its folders before its files', async () => {
    const folder = await scratch(stack, 'tar')
    const { stdout } = await must('tar', ['--list'], { input: await tarOf({ 'a/b/c': '1', 'a/d': '2' }), cwd: folder })
    assert.deepEqual(stdout.trim().split('\n'), ['a/', 'a/b/', 'a/b/c', 'a/d'])
  })
})

test('bytes of another digest are seen', async () => {
  const content = await imageOf([{ a: '1' }])
  const answer = (body: Buffer) => ({
    status: 200,
    reason: 'OK',
    headers: new Headers({ 'docker-content-digest': content.root.digest }),
    body,
  })
  const swapped = async (path: string) => {
    const digest = path.slice(path.lastIndexOf('/') + 1)
    return answer(content.manifests.get(digest)?.bytes ?? Buffer.from('another layer'))
  }
  await assert.rejects(readContent(swapped, 'shop/own', content.root.digest), /the blob's bytes are those of sha256:/)
  await assert.rejects(
    readContent(async () => answer(Buffer.from('{}')), 'shop/own', 'latest'),
    /the manifest's bytes are not those of/,
  )
})

describe('dockerd', { skip: lacking('dockerd', 'docker', 'containerd') }, () => {
  test('answers, with nothing of the machine in it', async () => {
    const { docker } = await startDockerd(stack)
    const config = await scratch(stack, 'docker-config')
    const listed = await docker(config, ['images', '--quiet'])
    assert.deepEqual([listed.code, listed.stdout], [0, ''])
    const { stdout } = await docker(config, ['info', '--format', '{{.Driver}}'])
    assert.match(stdout, /overlay2|vfs/)
  })
})

async function connect(url: string): Promise<{ client: pg.Client } & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return { client, [Symbol.asyncDispose]: () => client.end() }
}

/** A process that ended and that nobody asked about yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
