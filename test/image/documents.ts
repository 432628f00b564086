// What docs/operations.md shows under "In a container" and compose.yaml, typed as it stands. A port that is free stands in for 5000.

import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { blocksIn } from '../readme/blocks.ts'
import { openShell, type Shell } from '../readme/shell.ts'
import { freePort } from '../support/daemon.ts'
import { checkout } from '../support/lazaret.ts'
import { tool } from '../support/tools.ts'
import { type Engine, untilHealthy } from './engine.ts'

interface Expected {
  /** How the line begins. */
  begins: string
  says?: RegExp
}

/** Every line that is shown has one, in this order. */
const expected: Expected[] = [
  { begins: 'podman run --detach --name lazaret --publish ', says: /^[0-9a-f]{64}$/m },
  { begins: 'podman logs lazaret', says: /First user: admin +password: \S+/ },
  { begins: 'podman exec lazaret lazaret health', says: /^all +ok$/m },
  { begins: 'podman exec lazaret lazaret doctor', says: /^Nothing is wrong\.$/m },
  { begins: 'podman exec --env LAZARET_SERVER=', says: /^admin +/m },
  { begins: 'podman run --rm --volumes-from lazaret ', says: / is whole: 0 repositories/ },
  { begins: 'podman run --rm --volume lazaret-backup:/backup ', says: / is whole: 0 repositories/ },
  { begins: 'podman run --rm --volume restored:', says: / holds the backup of / },
  { begins: 'podman stop lazaret' },
  { begins: 'podman rm lazaret' },
  { begins: 'podman-compose up --detach' },
  { begins: 'podman-compose down' },
]

/** In: the suite's stack and an engine that has the image. Throws where a line does not do what is expected of it. */
export async function typeTheSection(stack: AsyncDisposableStack, engine: Engine): Promise<void> {
  const [build, ...lines] = await shownLines()
  assert.equal(build, 'npm run image')
  assert.deepEqual(
    lines.map((line) => expected.find(({ begins }) => line.startsWith(begins))?.begins),
    expected.map(({ begins }) => begins),
  )
  stack.defer(async () => {
    await engine.podman(['rm', '--all', '--force', '--volumes', '--time=0'])
    await engine.podman(['network', 'prune', '--force'])
  })
  const port = await freePort()
  const shell = await openPlace(stack, engine, port)
  for (const [at, line] of lines.entries()) {
    const typed = line.replaceAll('127.0.0.1:5000:', `127.0.0.1:${port}:`).replace('$PASSWORD', await passwordIn(engine))
    const outcome = await shell.type(typed)
    assert.equal(outcome.code, 0, `${typed}\n${outcome.output}`)
    assert.match(outcome.output, expected[at]?.says ?? /(?:)/, typed)
    if (line.startsWith('podman run --detach')) await untilHealthy(engine, 'lazaret')
    if (line.startsWith('podman-compose up')) await expectComposed(engine, port)
  }
}

async function shownLines(): Promise<string[]> {
  const text = await readFile(join(checkout, 'docs', 'operations.md'), 'utf8')
  const [, section = ''] = /^## In a container\n([^]*?)^## /m.exec(text) ?? []
  return blocksIn(section).flatMap(({ language, lines }) => (language === 'bash' ? lines : []))
}

/** Out: a shell in a folder that holds the compose file, with the port in place. */
async function openPlace(stack: AsyncDisposableStack, engine: Engine, port: number): Promise<Shell> {
  const [place, links] = [join(engine.folder, 'place'), join(engine.folder, 'links')]
  await mkdir(place)
  await mkdir(links)
  for (const program of ['podman', 'podman-compose']) await symlink(tool(program), join(links, program))
  await copyFile(join(checkout, 'compose.yaml'), join(place, 'compose.yaml'))
  const composed = await readFile(join(place, 'compose.yaml'), 'utf8')
  assert.ok(composed.trimEnd().split('\n').length <= 10, 'compose.yaml has ten lines')
  assert.ok(composed.includes('"127.0.0.1:5000:5000"'), composed)
  await writeFile(join(place, 'compose.yaml'), composed.replace('"127.0.0.1:5000:', `"127.0.0.1:${port}:`))
  return openShell(stack, place, { ...engine.env, PATH: [links, process.env['PATH']].join(delimiter) })
}

/** The generated one, once there is a server. */
async function passwordIn(engine: Engine): Promise<string> {
  const { output } = await engine.podman(['logs', 'lazaret'])
  return /password: (\S+)/.exec(output)?.[1] ?? 'none'
}

/** What compose.yaml asks for is what the container has: a root that can't be written, no capability, the published address. */
async function expectComposed(engine: Engine, port: number): Promise<void> {
  const { stdout } = await engine.mustPodman(['ps', '--filter=label=io.podman.compose.project', '--format={{.Names}}'])
  const name = stdout.trim()
  await untilHealthy(engine, name)
  const [found] = JSON.parse((await engine.mustPodman(['inspect', name])).stdout) as Composed[]
  assert.equal(found?.HostConfig.ReadonlyRootfs, true)
  assert.deepEqual(found.EffectiveCaps ?? [], [])
  assert.ok(
    found.HostConfig.SecurityOpt.some((option) => option.startsWith('no-new-privileges')),
    found.HostConfig.SecurityOpt.join(),
  )
  assert.deepEqual(
    found.Mounts.map(({ Destination }) => Destination),
    ['/var/lib/lazaret'],
  )
  assert.equal((await fetch(`http://127.0.0.1:${port}/health/ready`)).status, 200)
}

interface Composed {
  EffectiveCaps?: string[] | null
  HostConfig: { ReadonlyRootfs: boolean; SecurityOpt: string[] }
  Mounts: { Destination: string }[]
}
