// The image of Lazaret, built by the project's script: what is in it, and that a registry runs from it which takes it in, allows
// it by `balanced`, hands it out, and keeps everything on its one volume.

import assert from 'node:assert/strict'
import { chown, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../support/daemon.ts'
import { critical, flawedImage, onDisk } from '../support/held.ts'
import { protocolOf } from '../support/protocol.ts'
import { must } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { expectStatus } from '../support/transfer.ts'
import { expectInDocker } from './docker.ts'
import { typeTheSection } from './documents.ts'
import { buildImage, type Engine, hardened, image, openEngine, untilHealthy } from './engine.ts'

const behindLoopback = ['--env=LAZARET_BEHIND_PROXY=true']

describe('the image of Lazaret', {
  skip: lacking(
    'podman',
    'podman-compose',
    'docker',
    'dockerd',
    'containerd',
    'buildah',
    'skopeo',
    'runc',
    'iptables',
    'apt-get',
    'dpkg-deb',
    'git',
  ),
}, () => {
  const stack = new AsyncDisposableStack()
  let engine: Engine
  let other: Engine
  before(async () => {
    engine = await openEngine(stack)
    other = await openEngine(stack)
    await Promise.all([buildImage(engine, '022', 'UTC', '--archive', archive()), buildImage(other, '077', 'Asia/Kathmandu')])
  })
  after(() => stack.disposeAsync())

  const archive = () => join(engine.folder, 'lazaret.tar')
  const inspected = async (of: Engine) => JSON.parse((await of.mustPodman(['image', 'inspect', image])).stdout) as Inspected[]

  test('the same checkout gives the same layers, under another umask and time zone', async () => {
    const [ours, theirs] = [await inspected(engine), await inspected(other)]
    assert.deepEqual(ours[0]?.RootFS.Layers, theirs[0]?.RootFS.Layers)
    assert.equal(ours[0]?.Created, theirs[0]?.Created)
    const kept = (await engine.mustPodman(['images', '--all', '--quiet', '--no-trunc'])).stdout.trim().split('\n')
    assert.equal(new Set(kept).size, 1, `steps of the build are left: ${kept.join(' ')}`)
    assert.ok((ours[0]?.RootFS.Layers.length ?? 0) >= 5, 'layers are apart, so that an upgrade is small')
  })

  test('it says who it is, and runs as a user with a number', async () => {
    const [{ Config } = { Config: undefined }] = await inspected(engine)
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as { version: string }
    assert.equal(Config?.User, '65532:65532')
    assert.deepEqual(Config.Volumes, { '/var/lib/lazaret': {} })
    assert.deepEqual([Config.Entrypoint, Config.Cmd, Config.StopSignal], [['/usr/bin/lazaret'], ['serve'], 'SIGTERM'])
    assert.equal(Config.Labels['org.opencontainers.image.version'], version)
    assert.match(Config.Labels['org.opencontainers.image.revision'] ?? '', /^[0-9a-f]{40}(-changed)?$/)
    assert.equal(Config.Labels['org.opencontainers.image.licenses'], 'Apache-2.0')
  })

  test('it holds no shell, no tests, no program but Node, and nothing that raises rights or that others may write', async () => {
    const { stdout } = await engine.mustPodman(['image', 'mount', image])
    const root = stdout.trim()
    try {
      const found = async (...which: string[]) => (await must('find', [root, '-mindepth', '1', ...which, '-printf', '%P\n'])).stdout.trim()
      assert.equal(await found('-perm', '/6000'), '')
      assert.equal(await found('-not', '-type', 'l', '-perm', '/022'), '')
      assert.equal(await found('-name', '*.test.ts'), '')
      assert.equal(await found('-uid', '+0').then((text) => text.split('\n').toSorted().join(' ')), 'backup var/lib/lazaret')
      const programs = await found('-type', 'f', '-executable', '-exec', 'grep', '--quiet', '^.ELF', '{}', ';')
      const names = programs.split('\n').map((path) => path.split('/').at(-1))
      assert.deepEqual(
        names.filter((name) => name?.includes('.so') !== true),
        ['node'],
        programs,
      )
    } finally {
      await engine.mustPodman(['image', 'unmount', image])
    }
  })

  test('without TLS it does not listen to other machines unless it is told that nothing is open to them', async () => {
    const { code, stderr } = await engine.podman(['run', '--rm', ...hardened, image])
    assert.equal(code, 1, stderr)
    assert.match(stderr, /0\.0\.0\.0:5000 .* needs tls\.cert and tls\.key, or behindProxy: true \(LAZARET_BEHIND_PROXY=true\)/)
  })

  test('it takes itself in, allows it, hands it out, and has all of it after a stop and a start', { timeout: 240_000 }, async () => {
    const port = await freePort()
    const host = `127.0.0.1:${port}`
    const name = await engine.start([
      ...hardened,
      ...behindLoopback,
      `--env=LAZARET_LISTEN=0.0.0.0:${port}`,
      `--publish=${host}:${port}`,
      '--volume=data:/var/lib/lazaret',
      '--volume=backup:/backup',
      image,
    ])
    await untilHealthy(engine, name)
    const [, password = ''] = /password: (\S+)/.exec((await engine.mustPodman(['logs', name])).output) ?? []
    const admin = protocolOf(host, { username: 'admin', password })
    await engine.mustPodman(['login', '--tls-verify=false', '--username=admin', '--password-stdin', host], { input: password })
    const reference = `${host}/lazaret/lazaret:1`
    await engine.mustPodman(['push', '--tls-verify=false', image, reference], { timeoutMs: 180_000 })
    assert.equal(await decisionOf(admin, 'lazaret/lazaret:1'), 'allow')
    assert.ok((await libraries(admin, 'lazaret/lazaret:1')).includes('libc6'), "Debian's packages are judged")

    await expectCommands(name)
    assert.deepEqual(await leftBehind(name), [])

    const stopped = await engine.mustPodman(['stop', '--time=30', name])
    assert.equal((await engine.mustPodman(['inspect', '--format={{.State.ExitCode}}', name])).stdout.trim(), '0', stopped.output)
    await engine.mustPodman(['start', name])
    await untilHealthy(engine, name)
    assert.equal(await decisionOf(admin, 'lazaret/lazaret:1'), 'allow')
    await other.mustPodman(['rmi', '--force', image])
    const creds = `--creds=admin:${password}`
    await other.mustPodman(['pull', '--tls-verify=false', creds, reference], { timeoutMs: 180_000 })
    const said = await other.mustPodman(['run', '--rm', ...hardened, reference, '--version'])
    assert.match(said.stdout, /^lazaret \d/)
  })

  test('it runs as any user that owns the folder which is mounted, and doctor knows that names outside lead nowhere inside', async () => {
    const folder = join(await scratch(stack, 'owned'), 'data')
    await mkdir(folder, { mode: 0o700 })
    await chown(folder, 4711, 4711)
    const named = '--env=LAZARET_PUBLIC_URL=http://127.0.0.1:1'
    const owned = ['--user=4711:4711', `--volume=${folder}:/var/lib/lazaret`]
    const name = await engine.start([...hardened, ...behindLoopback, named, ...owned, image])
    await untilHealthy(engine, name)
    assert.ok((await readdir(folder)).includes('records.sqlite'))
    const doctor = await engine.podman(['exec', name, 'lazaret', 'doctor', '--format=json'])
    assert.equal(doctor.code, 0, doctor.output)
    assert.match(doctor.stdout, /http:\/\/127\.0\.0\.1:1 can't be reached from here[^]*what listens here runs version/)
  })

  test('the commands in docs/operations.md do what they say, and compose.yaml starts the same', { timeout: 240_000 }, () =>
    typeTheSection(stack, engine),
  )

  test('docker loads the archive, runs it without rights, and finds it healthy by its own checks', { timeout: 240_000 }, () =>
    expectInDocker(stack, archive()),
  )

  /** Those that operators run, inside: none can write but on the volumes. */
  async function expectCommands(name: string): Promise<void> {
    const inside = (...args: string[]) => engine.podman(['exec', name, 'lazaret', ...args])
    const doctor = await inside('doctor')
    assert.match(doctor.stdout, /^Nothing is wrong\.$/m, doctor.output)
    assert.equal(doctor.code, 0)
    for (const args of [
      ['backup', '/backup/registry.tar.zst'],
      ['backup', '--verify', '/backup/registry.tar.zst'],
    ])
      assert.match((await inside(...args)).output, / is whole: 1 repositories/)
    const busy = await inside('users', 'list')
    assert.equal(busy.code, 1)
    assert.match(busy.stderr, /held by the server at http:/)
    const scan = await engine.podman(['exec', '--interactive', name, 'lazaret', 'scan', '--fail-on=critical', '-'], {
      input: await flawedArchive(),
    })
    assert.equal(scan.code, 3, scan.output)
    assert.match(scan.stdout, new RegExp(`critical +${critical.id}`))
  }

  async function flawedArchive(): Promise<Buffer> {
    const folder = await scratch(stack, 'flawed')
    const { layout, tag } = await onDisk(await flawedImage(critical), folder)
    await must('skopeo', ['copy', `oci:${layout}:${tag}`, `docker-archive:${join(folder, 'flawed.tar')}:shop/api:1`], { env: engine.env })
    return await readFile(join(folder, 'flawed.tar'))
  }

  /** What scratch work left on the volume, which is where it is done. */
  async function leftBehind(name: string): Promise<string[]> {
    const folder = (await engine.mustPodman(['inspect', '--format={{(index .Mounts 0).Source}} {{(index .Mounts 1).Source}}', name])).stdout
    const lists = await Promise.all(
      folder
        .trim()
        .split(' ')
        .map((path) => readdir(path)),
    )
    return lists.flat().filter((entry) => entry.startsWith('lazaret-'))
  }
})

interface Inspected {
  Created: string
  RootFS: { Layers: string[] }
  Config: {
    User: string
    Volumes: Record<string, object>
    Entrypoint: string[]
    Cmd: string[]
    StopSignal: string
    Labels: Record<string, string>
  }
}

type Asker = ReturnType<typeof protocolOf>

async function decisionOf(who: Asker, name: string): Promise<string> {
  const answer = expectStatus(await who.askBasic(`/api/v1/verdict?image=${name}&wait=60`), 200)
  return (JSON.parse(answer.body.toString('utf8')) as { decision: string }).decision
}

/** Debian's packages in it, as the registry found them. */
async function libraries(who: Asker, name: string): Promise<string[]> {
  const answer = expectStatus(await who.askBasic(`/api/v1/sbom?image=${name}&format=cyclonedx`), 200)
  const { components } = JSON.parse(answer.body.toString('utf8')) as { components: { name: string; purl?: string }[] }
  return components.filter(({ purl }) => purl?.startsWith('pkg:deb/debian/')).map(({ name: found }) => found)
}
