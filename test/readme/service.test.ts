// The systemd unit of docs/operations.md: read by systemd itself, and its command run as it says, by a user that owns nothing else.

import assert from 'node:assert/strict'
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { freePort, startDaemon } from '../support/daemon.ts'
import { checkout, launcher } from '../support/lazaret.ts'
import { run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'

/** nobody, of Debian. */
const user = 65534

const page = await readFile(join(checkout, 'docs', 'operations.md'), 'utf8')
const unit = /```ini\n(\[Unit\][^]*?)```/.exec(page)?.[1] ?? assert.fail('the page has no unit')
const yaml = /```yaml\n(listen: [^]*?)```/.exec(page)?.[1] ?? assert.fail('the page has no lazaret.yaml')

function valuesOf(name: string): string[] {
  return unit.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []))
}

describe('as a service', () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('systemd finds nothing wrong with the unit', { skip: lacking('systemd-analyze') }, async () => {
    const folder = await scratch(stack, 'unit')
    const file = join(folder, 'lazaret.service')
    // What the machine has not: the checkout at that place, and the user.
    await writeFile(file, unit.replace('/opt/lazaret/bin/lazaret', launcher).replace(/^(User|Group)=.*$/gm, '$1=root'))
    const { output } = await run('systemd-analyze', ['verify', '--man=no', file])
    assert.deepEqual(
      output.split('\n').filter((line) => line.includes('lazaret.service')),
      [],
    )
  })

  test('its command serves by the settings of the page, reloads, and stops with 0', { skip: lacking('setpriv') }, async () => {
    const folder = await scratch(stack, 'service')
    const port = await freePort()
    const [data, cache, settings] = [join(folder, 'data'), join(folder, 'cache'), join(folder, 'lazaret.yaml')]
    for (const owned of [data, cache]) {
      await mkdir(owned, { mode: 0o700 })
      await chown(owned, user, user)
    }
    const plain = yaml
      .replace(/^tls: .*$/m, '')
      .replace('0.0.0.0:5000', `127.0.0.1:${port}`)
      .replace('https://registry.example:5000', `http://127.0.0.1:${port}`)
    await writeFile(settings, plain.replace('/var/lib/lazaret', data))
    await chown(folder, user, user)
    const env = Object.fromEntries(valuesOf('Environment').map((pair) => pair.split('=', 2) as [string, string]))
    assert.deepEqual(Object.keys(env), ['LAZARET_CONFIG', 'XDG_CACHE_HOME'])
    const [command = '', ...args] = (valuesOf('ExecStart')[0] ?? '').split(' ')
    const daemon = await startDaemon(stack, {
      command: 'setpriv',
      args: [
        `--reuid=${user}`,
        `--regid=${user}`,
        '--clear-groups',
        '--no-new-privs',
        '--bounding-set=-all',
        command.replace('/opt/lazaret', checkout),
        ...args,
      ],
      cwd: folder,
      env: { ...env, LAZARET_CONFIG: settings, XDG_CACHE_HOME: cache },
      ready: async () => (await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined))?.status === 200,
      stopSignal: 'SIGTERM',
    })
    process.kill(daemon.pid, 'SIGHUP')
    assert.equal((await fetch(`http://127.0.0.1:${port}/health/live`)).status, 200)
    assert.equal(await daemon.stop(), 0)
    assert.equal(await readFile(join(data, 'admin-password'), 'utf8').then((text) => text.trim().length > 10), true)
  })
})
