import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { commands } from '../../src/cli/commands.ts'
import { launcher, startLazaret } from '../support/lazaret.ts'
import { run, type RunOptions } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { onTerminal } from './terminal.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const server = await startLazaret(stack, { policy: 'observe' })
const { lazaret } = server
const noTerminal = lacking('script')

/** A command of somebody else: with a home and a working folder of their own, and no server in the environment. */
async function elsewhere(): Promise<{
  home: string
  env: Record<string, string>
  lazaret: (args: string[], options?: RunOptions) => ReturnType<typeof run>
}> {
  const home = await scratch(stack, 'home')
  const env = { HOME: home, XDG_CONFIG_HOME: '', DOCKER_CONFIG: '' }
  return { home, env, lazaret: (args, options = {}) => run(launcher, args, { cwd: home, ...options, env: { ...env, ...options.env } }) }
}

function assertWidth(text: string): void {
  for (const line of text.split('\n')) assert.ok([...line].length <= 80, `${[...line].length} columns: ${line}`)
}

test('users: added, listed, granted, revoked, another password, removed', async () => {
  const added = await lazaret(['users', 'add', 'ada', '--password-stdin', '--grant', 'pull=shop/**', '--grant', 'push=shop/api'], {
    input: 'the-password-of-ada\n',
  })
  assert.deepEqual([added.code, added.stdout], [0, ''], added.output)
  assert.ok(!added.output.includes('the-password'))
  const grants = async () =>
    (
      JSON.parse((await lazaret(['users', 'list', '--format', 'json'])).stdout) as { items: { name: string; grants: string[] }[] }
    ).items.find((item) => item.name === 'ada')?.grants
  assert.deepEqual(await grants(), ['pull=shop/**', 'push=shop/api'])
  assert.equal((await lazaret(['users', 'grant', 'ada', 'delete=shop/api', '--grant', 'pull=open/**'])).code, 0)
  assert.equal((await lazaret(['users', 'revoke', 'ada', 'push=shop/api', 'pull=open/**'])).code, 0)
  assert.deepEqual(await grants(), ['delete=shop/api', 'pull=shop/**'])
  const list = await lazaret(['users', 'list'])
  assert.match(list.stdout, /^NAME +GRANTS +CREATED\n/)
  assert.match(list.stdout, /ada +delete=shop\/api +\d{4}-\d\d-\d\d \d\d:\d\d\n +pull=shop\/\*\*\n/)
  assert.equal((await lazaret(['users', 'password', 'ada', '--password-stdin'], { input: 'another-password' })).code, 0)
  const asAda = (password: string) => lazaret(['why', 'shop/none'], { env: { LAZARET_USERNAME: 'ada', LAZARET_PASSWORD: password } })
  assert.match((await asAda('the-password-of-ada')).stderr, /the name or the password is wrong/)
  assert.match((await asAda('another-password')).stderr, /no image shop\/none/)
  const removed = await lazaret(['users', 'remove', 'ada'])
  assert.deepEqual([removed.code, removed.stdout], [0, ''])
  assert.equal((await lazaret(['users', 'remove', 'ada'])).code, 1)
})

test('robots: the token alone on standard output, once; good as LAZARET_TOKEN by itself', async () => {
  const added = await lazaret(['robots', 'add', 'ci', '--grant', 'admin', '--expires', '90d'])
  assert.equal(added.code, 0, added.output)
  assert.match(added.stdout, /^lzr_[\w-]{43}\n$/)
  const token = added.stdout.trim()
  assert.ok(!added.stderr.includes(token))
  for (const env of [{ LAZARET_USERNAME: '' }, { LAZARET_USERNAME: 'ci' }]) {
    const listed = await lazaret(['robots', 'list'], { env: { ...env, LAZARET_PASSWORD: '', LAZARET_TOKEN: token } })
    assert.equal(listed.code, 0, listed.output)
    assert.match(listed.stdout, /^NAME +GRANTS +EXPIRES\nci +admin +\d{4}-/)
    assert.ok(!listed.output.includes(token))
  }
  assert.equal((await lazaret(['robots', 'remove', 'ci'])).code, 0)
  assert.match(
    (await lazaret(['robots', 'list'], { env: { LAZARET_USERNAME: '', LAZARET_PASSWORD: '', LAZARET_TOKEN: token } })).stderr,
    /no robot has it/,
  )
  for (const expires of ['yesterday', '0d', '2020-01-01T00:00:00Z']) {
    const refused = await lazaret(['robots', 'add', 'never', '--expires', expires])
    assert.deepEqual([refused.code, refused.stdout], [1, ''], refused.output)
  }
})

test('a password on the command line is refused, and not repeated', async () => {
  for (const args of [
    ['users', 'add', 'eve', '--password', 'hush-hush'],
    ['users', 'add', 'eve', '--password=hush-hush'],
    ['users', 'add', 'eve', '-p', 'hush-hush'],
    ['users', 'add', 'eve', 'hush-hush'],
    ['users', 'password', 'developer', 'hush-hush'],
    ['users', 'password', 'developer', '-phush-hush'],
    ['login', server.host, '-u', 'admin', '-p', 'hush-hush'],
    ['robots', 'add', 'eve', '--token', 'hush-hush'],
  ]) {
    const { code, output } = await lazaret(args, { input: '' })
    assert.equal(code, 2, output)
    assert.ok(!output.includes('hush'), output)
  }
  assert.match((await lazaret(['users', 'add', 'eve', '-p', 'x'])).stderr, /can be read by others: use --password-stdin/)
  assert.match((await lazaret(['users', 'add', 'eve'])).stderr, /no terminal to ask on: use --password-stdin/)
  assert.match((await lazaret(['users', 'add', 'eve', '--password-stdin'], { input: '' })).stderr, /no password came/)
  assert.match((await lazaret(['users', 'add', 'eve', '--password-stdin'], { input: 'short\n' })).stderr, /at least 8 characters/)
})

test('what the server refuses is 1, what is called wrongly is 2, each in words on standard error', async () => {
  const cases: [string[], number, RegExp][] = [
    [['users', 'add', 'a/b', '--password-stdin'], 1, /not a name: "a\/b"/],
    [['users', 'add', 'eve', '--password-stdin', '--grant', 'own=**'], 1, /not a grant: "own=\*\*"/],
    [['users', 'add', 'admin', '--password-stdin'], 1, /already a user admin/],
    [['users', 'remove', 'admin'], 1, /no administrator/],
    [['users', 'revoke', 'admin', 'admin'], 1, /no administrator/],
    [['users', 'remove', 'nobody'], 1, /no user "nobody"/],
    [['robots', 'remove', 'admin'], 1, /no robot "admin"/],
    [['jobs', 'list', '--state', 'done'], 1, /state is one of waiting, running, failed/],
    [['users'], 2, /say what to do: add, password, list/],
    [['users', 'ad'], 2, /did you mean add\?/],
    [['users', 'constructor'], 2, /there is no users "constructor"/],
    [['users', 'remove'], 2, /NAME is missing/],
    [['users', 'remove', 'a', 'b'], 2, /one NAME is wanted/],
    [['users', 'grant', 'a'], 2, /grant wants NAME and GRANT/],
    [['users', 'list', '--format', 'xml'], 2, /--format is one of table, json/],
    [['users', 'list', '--frmat', 'json'], 2, /Unknown option '--frmat'/],
    [['usrs', 'list'], 2, /did you mean users\?/],
    [['advisories'], 2, /say what to do/],
    [['logout', 'a', 'b'], 2, /one SERVER is wanted/],
  ]
  for (const [args, code, said] of cases) {
    const outcome = await lazaret(args, { input: 'a-password-that-will-do\n' })
    assert.deepEqual([outcome.code, outcome.stdout], [code, ''], `${args.join(' ')}: ${outcome.output}`)
    assert.match(outcome.stderr, said)
    assert.match(outcome.stderr, /^lazaret: /)
  }
})

test('who is no administrator is refused, and a server that is not there is said so', async () => {
  const env = { LAZARET_USERNAME: server.developer.username, LAZARET_PASSWORD: server.developer.password }
  for (const args of [
    ['users', 'list'],
    ['robots', 'add', 'mine', '--grant', 'admin'],
    ['jobs', 'list'],
    ['users', 'grant', 'developer', 'admin'],
  ]) {
    const { code, stdout, stderr } = await lazaret(args, { env })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /developer has no grant admin/)
  }
  assert.equal((await lazaret(['advisories', 'status'], { env })).code, 0)
  const gone = await lazaret(['users', 'list'], { env: { LAZARET_SERVER: 'http://127.0.0.1:9' } })
  assert.equal(gone.code, 1)
  assert.match(gone.stderr, /http:\/\/127\.0\.0\.1:9 does not answer/)
})

test('tables and help fit 80 columns, whatever is in them', async () => {
  await lazaret(['robots', 'add', 'x'.repeat(63), '--grant', `pull=${'team/'.repeat(20)}api`, '--grant', `push=${'y'.repeat(200)}`])
  for (const args of [['users', 'list'], ['robots', 'list'], ['jobs', 'list'], ['advisories', 'status'], ['config'], []]) {
    const { stdout, stderr } = await lazaret(args)
    assertWidth(stdout + stderr)
  }
  const listed = (await lazaret(['robots', 'list'])).stdout
  assert.equal([...listed].filter((letter) => letter === 'y').length, 200, 'nothing is cut off')
  for (const name of Object.keys(commands)) assertWidth((await lazaret([name, '--help'])).stdout)
  if (noTerminal === false) {
    const env = {
      LAZARET_SERVER: `http://${server.host}`,
      LAZARET_USERNAME: server.admin.username,
      LAZARET_PASSWORD: server.admin.password,
    }
    const { shown, code } = await onTerminal(`${launcher} robots list`, env)
    assert.equal(code, 0, shown)
    assertWidth(shown)
    assert.match(shown, /xxx +pull=team/)
  }
})

test('login: checked, kept where Docker keeps it, used by commands, and forgotten', async () => {
  const { home, lazaret: there } = await elsewhere()
  const file = join(home, '.docker', 'config.json')
  const wrong = await there(['login', server.host, '-u', 'admin', '--password-stdin'], { input: 'not-the-password\n' })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /the name or the password is wrong/)
  assert.ok(!existsSync(file))
  const done = await there(['login', server.host, '-u', 'admin', '--password-stdin'], { input: `${server.admin.password}\n` })
  assert.equal(done.code, 0, done.output)
  assert.match(done.stderr, /signed in to http:\/\/127\.0\.0\.1:\d+ as the user admin/)
  assert.match(done.stderr, /no credential helper is configured/)
  assert.ok(!done.output.includes(server.admin.password))
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { auths: object }).auths), [server.host])
  assert.equal((await there(['users', 'list'])).code, 0, 'the server of the last login')
  assert.equal((await there(['login', server.host, '--password-stdin'], { input: 'x' })).code, 2, 'no name, and no terminal')
  assert.equal((await there(['logout'])).code, 0)
  const after = await there(['users', 'list'])
  assert.equal(after.code, 2)
  assert.match(after.stderr, /no server is named, and there is no data folder/)
  assert.ok(!existsSync(join(home, 'lazaret-data')), 'a command makes no folder that nobody named')
})

test('login and a new password on a terminal: asked for, and never shown', { skip: noTerminal }, async () => {
  const { env, lazaret: there } = await elsewhere()
  const login = await onTerminal(`${launcher} login ${server.host}`, env, [
    { after: /Name: /, keys: 'admin\r' },
    { after: /Password of admin: /, keys: `wrong\u007f\u0015${server.admin.password}x\u007f\r` },
  ])
  assert.equal(login.code, 0, login.shown)
  assert.ok(!login.shown.includes('the-admin') && !login.shown.includes('wrong'), login.shown)
  assert.equal((await there(['users', 'list'])).code, 0)

  const typed = (second: string) => [
    { after: /Password for grace: /, keys: 'the-password-of-grace\r' },
    { after: /again: /, keys: `${second}\r` },
  ]
  const differing = await onTerminal(`${launcher} users add grace`, env, typed('something-else'))
  assert.equal(differing.code, 2, differing.shown)
  assert.match(differing.shown, /not the same twice/)
  const same = await onTerminal(`${launcher} users add grace`, env, typed('the-password-of-grace'))
  assert.equal(same.code, 0, same.shown)
  assert.ok(!same.shown.includes('the-password-of-grace'))
  const stopped = await onTerminal(`${launcher} users add never; echo "code $?"; stty -a | grep -o ' echo '`, env, [
    { after: /Password for never: /, keys: '\u0003' },
  ])
  assert.match(stopped.shown, /stopped\n.*code 1\n echo/s, 'and the terminal shows what is typed again')
})

test('a data folder that a server holds: said so, with its address', async () => {
  const { lazaret: there } = await elsewhere()
  const data = join(server.folder, 'data')
  for (const args of [['users', 'list'], ['robots', 'add', 'x'], ['jobs', 'list'], ['why', 'shop/api'], ['serve']]) {
    const { code, stdout, stderr } = await there(args, { env: { LAZARET_DATA: data, LAZARET_LISTEN: '127.0.0.1:0' } })
    assert.deepEqual([code, stdout], [1, ''], args.join(' '))
    assert.match(stderr, new RegExp(`the data folder ${data} is held by the server at http://${server.host} \\(process \\d+\\)`))
    if (args[0] !== 'serve')
      assert.match(stderr, new RegExp(`LAZARET_SERVER=http://${server.host}, or lazaret login http://${server.host}`))
  }
  const status = await there(['advisories', 'status'], { env: { LAZARET_DATA: data } })
  assert.equal(status.code, 0, 'advisories have a lock of their own')
  assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200)
})

test('without a server the data folder is opened, and then a server finds what was done', async () => {
  const { home, lazaret: there } = await elsewhere()
  const env = { LAZARET_DATA: join(home, 'data') }
  const added = await there(['users', 'add', 'ada', '--password-stdin', '--grant', 'admin'], { env, input: 'the-password-of-ada\n' })
  assert.equal(added.code, 0, added.output)
  assert.match(added.stderr, /First user: admin +password: \S+/, 'somebody must be able to sign in, whatever comes first')
  assert.equal((await there(['users', 'list', '--format', 'json'], { env })).stdout.match(/"name"/g)?.length, 2)
  const many = await Promise.all([1, 2, 3].map((at) => there(['robots', 'add', `r${at}`], { env })))
  assert.deepEqual(
    many.map(({ code }) => code),
    [0, 0, 0],
    `each waits for the other: ${many.map(({ output }) => output).join('')}`,
  )
  assert.deepEqual(
    [(await there(['jobs', 'list'], { env })).stdout, (await there(['users', 'remove', 'ada'], { env })).code],
    ['0 waiting, 0 running, 0 failed\n', 0],
  )
  const own = await startLazaret(stack, { policy: 'observe', env })
  const { stdout } = await own.lazaret(['robots', 'list'])
  assert.match(stdout, /r1 .*\nr2 .*\nr3 /)
  const log = JSON.parse((await own.api('/audit-log?subject=robot:r1')).body.toString('utf8')) as {
    items: { principal: string; address: string }[]
  }
  assert.deepEqual(
    log.items.map(({ principal, address }) => `${principal} ${address}`),
    ['system local'],
  )
})

test('a server that is killed leaves a folder that can be opened at once', async () => {
  const { home, lazaret: there } = await elsewhere()
  const env = { LAZARET_DATA: join(home, 'data') }
  const killed = await startLazaret(stack, { policy: 'observe', env })
  assert.equal((await there(['users', 'list'], { env })).code, 1)
  process.kill(killed.daemon.pid, 'SIGKILL')
  await sleep(200)
  assert.ok(existsSync(join(home, 'data', 'holder.json')))
  const listed = await there(['users', 'list'], { env })
  assert.equal(listed.code, 0, listed.output)
})

test('root does not write into the folder of another user', {
  skip: process.getuid?.() === 0 ? false : 'left out: only root can make such a folder',
}, async () => {
  const { home, lazaret: there } = await elsewhere()
  const { chownSync } = await import('node:fs')
  mkdirSync(join(home, 'data'))
  chownSync(join(home, 'data'), 65534, 65534)
  for (const args of [
    ['users', 'list'],
    ['advisories', 'import', '/etc/hostname'],
    ['advisories', 'status'],
  ]) {
    const { code, stderr } = await there(args, { env: { LAZARET_DATA: join(home, 'data') } })
    assert.equal(code, 1)
    assert.match(stderr, /belongs to the user with the id 65534/)
  }
  assert.ok(!existsSync(join(home, 'data', 'records.sqlite')))
})
