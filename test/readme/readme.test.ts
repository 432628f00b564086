// README.md, typed line by line as it stands: the denied pull is denied in the words that it shows, the allowed one passes.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { containersHome } from '../support/containers.ts'
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts'
import { checkout } from '../support/lazaret.ts'
import type { Outcome } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { printedPattern, type TypedLine, typedLines } from './blocks.ts'
import { openShell, type Shell } from './shell.ts'

/** The address that the document shows; another server may have it here. */
const shownHost = '127.0.0.1:5000'
/** Lines that are not typed as they come. */
const startLine = /^npm start\b/
const testLine = /^npm test\b/
/** Lines that ask for a password at the terminal. */
const asking = /\blogin\b/
/** Lines that end with another exit code than 0, besides those whose refusal the document shows. */
const otherEnds: Record<string, { code: number; says: RegExp }> = {
  'bin/lazaret why demo/hello:1': { code: 3, says: /is held[^]*CVE-2021-44906[^]*Nearest image that passes: demo\/hello:2/ },
}

describe('README.md', { skip: lacking('podman', 'skopeo', 'npm', 'script') }, async () => {
  const lines = typedLines(await readFile(join(checkout, 'README.md'), 'utf8'))
  const refused = lines.filter(({ printed }) => printed !== undefined)
  const stack = new AsyncDisposableStack()
  let host: string
  let server: Daemon
  let clone: string
  let shell: Shell

  before(async () => {
    host = `127.0.0.1:${await freePort()}`
    clone = await cloneOf(stack)
    server = await startDaemon(stack, {
      command: 'npm',
      args: ['start'],
      cwd: clone,
      env: { LAZARET_LISTEN: host },
      ready: () => isReady(host),
    })
    stack.defer(() => endServer(clone))
    const home = await containersHome(stack, 'readme')
    shell = await openShell(stack, clone, home.env)
  })
  after(() => stack.disposeAsync())

  test('shows how to start, and a push that ends in a refusal', () => {
    assert.ok(lines.some(({ command }) => startLine.test(command)))
    assert.ok(lines.some(({ command }) => testLine.test(command)))
    assert.ok(
      refused.some(({ command }) => command.startsWith('podman pull')) && refused.some(({ command }) => command.startsWith('skopeo ')),
    )
    for (const command of Object.keys(otherEnds))
      assert.ok(
        lines.some((line) => line.command === command),
        `README.md has no line ${command}`,
      )
  })

  test('the first start prints the password of admin, and keeps it where it says', async () => {
    assert.equal(await readFile(join(clone, 'lazaret-data', 'admin-password'), 'utf8').then((text) => text.trim()), printedPassword())
  })

  test('the age of the bundled advisories is said aloud', async () => {
    for (let tries = 0; tries < 100 && !server.log().includes('lazaret advisories import'); tries++) await sleep(50)
    assert.match(server.log(), /"level":"warn"[^\n]*advisories older than 30 days[^\n]* \d+ days[^\n]*lazaret advisories import/)
  })

  for (const line of lines.filter(({ command }) => !startLine.test(command) && !testLine.test(command))) {
    test(`line ${line.line}: ${line.command}`, async () => expectAsShown(line, await typed(line.command)))
  }

  test('the refusal of the first now names the second', async () => {
    for (const { command } of refused) {
      const outcome = await typed(command)
      assert.notEqual(outcome.code, 0)
      assert.match(outcome.output.replaceAll(/\s+/g, ' '), /fixed in 1\.2\.6\. Use demo\/hello:2\./)
    }
  })

  test('the commands that it only names exist', async () => {
    const status = await typed('bin/lazaret advisories status')
    assert.equal(status.code, 0, status.output)
    for (const command of ['bin/lazaret scan --help', 'bin/lazaret advisories --help'])
      assert.match((await typed(command)).stdout, /^usage: lazaret /)
  })

  function typed(command: string): Promise<Outcome> {
    return shell.type(command.replaceAll(shownHost, host), asking.test(command) ? printedPassword() : undefined)
  }

  function printedPassword(): string {
    const [, password] = /First user: admin +password: (\S+)/.exec(server.log()) ?? []
    assert.ok(password, server.log())
    return password
  }
})

function expectAsShown({ command, printed }: TypedLine, outcome: Outcome): void {
  if (printed === undefined) {
    const { code, says } = otherEnds[command] ?? { code: 0, says: /(?:)/ }
    assert.equal(outcome.code, code, outcome.output)
    assert.match(outcome.output, says)
    return
  }
  assert.notEqual(outcome.code, 0, `it is not refused: ${outcome.output}`)
  assert.match(outcome.output, printedPattern(printed))
}

/** A folder that is this checkout to whoever works in it, and in which what is written is thrown away. */
async function cloneOf(stack: AsyncDisposableStack): Promise<string> {
  const clone = join(await scratch(stack, 'readme'), 'lazaret')
  await mkdir(clone)
  for (const name of await readdir(checkout)) {
    if (!['lazaret-data', 'lazaret.yaml', '.git'].includes(name)) await symlink(join(checkout, name), join(clone, name))
  }
  return clone
}

/** `npm` passes a signal on to its shell only: the server is ended by itself, and its data folder is free then. */
async function endServer(clone: string): Promise<void> {
  const holder = join(clone, 'lazaret-data', 'holder.json')
  const { pid } = JSON.parse(await readFile(holder, 'utf8')) as { pid: number }
  process.kill(pid, 'SIGTERM')
  for (let tries = 0; tries < 200 && existsSync(holder); tries++) await sleep(50)
  assert.ok(!existsSync(holder), `the server ${pid} does not end`)
}

async function isReady(host: string): Promise<boolean> {
  return fetch(`http://${host}/health/ready`).then(
    (answer) => answer.status === 200,
    () => false,
  )
}
