import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Checkout, type Ended, killGroup } from './checkout.ts'

const told = ({ stdout, stderr }: Ended) => {
  assert.equal(stdout.trim().split('\n').length, 1, `stdout holds more than the program's own line:\n${stdout}\n${stderr}`)
  return JSON.parse(stdout) as { args: string[]; cwd: string; cache?: string; node: string }
}

test('the first start installs, says so on stderr, and runs; the second only runs', async () => {
  using checkout = new Checkout()
  const first = await checkout.run(checkout.lazaret, ['a', 'b c', ''])
  assert.deepEqual(told(first).args, ['a', 'b c', ''])
  assert.match(first.stderr, /^lazaret: installing packages: npm ci --omit=dev in .*\nnpm speaks on stdout\n$/)
  const second = await checkout.run(checkout.lazaret)
  assert.equal(second.stderr, '')
  assert.equal(checkout.installs().length, 1)
})

test('it works through links and from any folder, whose path it keeps', async () => {
  using checkout = new Checkout()
  const elsewhere = join(checkout.folder, 'else where')
  mkdirSync(elsewhere)
  symlinkSync('../checkout/bin/lazaret', join(checkout.bin, 'inner'))
  symlinkSync('inner', join(checkout.bin, 'lz'))
  const { cwd, args } = told(await checkout.run(join(checkout.bin, 'lz'), ['x'], { cwd: elsewhere }))
  assert.deepEqual([cwd, args], [elsewhere, ['x']])
})

test('the exit code and signals are those of the program', async () => {
  using checkout = new Checkout()
  assert.equal((await checkout.run(checkout.lazaret, ['fail'])).code, 3)
  const { child, ended } = checkout.start(checkout.lazaret, ['stay'])
  assert.ok(child.stdout)
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.equal((await ended).code, 7)
})

test('a killed npm ci leaves its folder, and the next start installs again', async () => {
  using checkout = new Checkout()
  const { child, ended } = checkout.start(checkout.lazaret, ['x'], { env: { NPM_SLEEPS: '30' } })
  while (!existsSync(join(checkout.root, 'node_modules'))) await sleep(10)
  killGroup(child)
  await ended
  const { args } = told(await checkout.run(checkout.lazaret, ['again']))
  assert.deepEqual(args, ['again'])
  assert.equal(checkout.installs().length, 2)
})

test('a failed npm ci fails the start, and leaves nothing that counts as done', async () => {
  using checkout = new Checkout()
  const failed = await checkout.run(checkout.lazaret, ['x'], { env: { NPM_FAILS: '1' } })
  assert.equal(failed.code, 1)
  assert.equal(failed.stdout, '')
  assert.match(failed.stderr, /npm ci failed in /)
  told(await checkout.run(checkout.lazaret))
  assert.equal(checkout.installs().length, 2)
})

test('a changed lock file is installed anew', async () => {
  using checkout = new Checkout()
  await checkout.run(checkout.lazaret)
  checkout.lock('{"second":2}')
  told(await checkout.run(checkout.lazaret))
  assert.deepEqual(checkout.installs(), Array(2).fill('ci --omit=dev --no-audit --no-fund --loglevel=error'))
})

for (const lock of ['flock', 'a folder']) {
  test(`starts at once install once (lock by ${lock})`, async () => {
    using checkout = new Checkout()
    if (lock !== 'flock') checkout.without('flock')
    const all = await Promise.all(['1', '2', '3', '4'].map((name) => checkout.run(checkout.lazaret, [name], { env: { NPM_SLEEPS: '1' } })))
    assert.deepEqual(
      all.map((one) => told(one).args[0]),
      ['1', '2', '3', '4'],
    )
    assert.equal(checkout.installs().length, 1)
    assert.ok(!existsSync(join(checkout.root, '.setup.lock.d')))
  })
}

test("a dead holder's lock is taken over", async () => {
  using checkout = new Checkout()
  checkout.without('flock')
  mkdirSync(join(checkout.root, '.setup.lock.d'))
  writeFileSync(join(checkout.root, '.setup.lock.d/pid'), '4194303\n')
  told(await checkout.run(checkout.lazaret))
})

test('bin/run adds the development packages once, beside what is there', async () => {
  using checkout = new Checkout()
  const run = join(checkout.root, 'bin/run')
  await checkout.run(checkout.lazaret)
  assert.deepEqual(told(await checkout.run(run, ['src/cli/main.ts', 'y'])).args, ['y'])
  await checkout.run(run, ['src/cli/main.ts'])
  await checkout.run(checkout.lazaret)
  assert.deepEqual(
    checkout.installs().map((line) => line.replace(/ --no-audit.*/, '')),
    ['ci --omit=dev', 'install --no-save --include=dev'],
  )
})

test('in a development checkout development packages are kept', async () => {
  using checkout = new Checkout()
  mkdirSync(join(checkout.root, 'node_modules/typescript'), { recursive: true })
  await checkout.run(checkout.lazaret)
  assert.match(checkout.installs()[0] ?? '', /^ci --include=dev/)
})

test("without a Node among the packages the PATH's must be 24.15 or newer", async () => {
  for (const [version, fine] of [
    ['20.20.2', false],
    ['24.14.9', false],
    ['24.15.0', true],
    ['24.101.0', true],
    ['26.0.0', true],
  ] as const) {
    using checkout = new Checkout()
    checkout.program('node', `#!/bin/sh\nif [ "$1" = --version ]; then echo v${version}; else echo '"ran"'; fi\n`)
    const ended = await checkout.run(checkout.lazaret, [], { env: { NPM_BRINGS_NO_NODE: '1' } })
    assert.equal(ended.code, fine ? 0 : 1, version)
    if (!fine) assert.match(ended.stderr, /needs Node 24\.15 or newer/)
  }
})

test("what keeps the packages' Node from running is said", async () => {
  using checkout = new Checkout()
  checkout.program('broken', '#!/bin/sh\necho "libatomic.so.1: cannot open shared object file" >&2\nexit 127\n')
  const { code, stderr } = await checkout.run(checkout.lazaret, [], { env: { OUR_NODE: join(checkout.bin, 'broken') } })
  assert.equal(code, 1)
  assert.match(stderr, /does not run here: libatomic\.so\.1[^]*apt-get install libatomic1[^]*needs Node 24\.15 or newer on the PATH/)
})

test('without npm it says what it needs', async () => {
  using checkout = new Checkout()
  checkout.without('npm')
  const { code, stderr } = await checkout.run(checkout.lazaret)
  assert.equal(code, 1)
  assert.match(stderr, /needs npm on the PATH/)
})

test('a checkout that can only be read runs once it is set up, and says so before', {
  skip: process.getuid?.() !== 0 && 'only root can become another user',
}, async () => {
  using checkout = new Checkout()
  const before = await checkout.run(checkout.lazaret, [], { uid: 65534 })
  assert.equal(before.code, 1)
  assert.match(before.stderr, /can't be written to/)
  // Ours may lie where only root gets to.
  const node = join(checkout.folder, 'node')
  copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE)
  await checkout.run(checkout.lazaret, [], { env: { OUR_NODE: node } })
  const cache = join(checkout.folder, 'cache')
  const { cache: used } = told(await checkout.run(checkout.lazaret, [], { uid: 65534, env: { XDG_CACHE_HOME: cache } }))
  assert.equal(used, join(checkout.root, 'node_modules/.cache/compile'))
})

test('the compile cache lies among the packages, unless one was named', async () => {
  using checkout = new Checkout()
  assert.equal(told(await checkout.run(checkout.lazaret)).cache, join(checkout.root, 'node_modules/.cache/compile'))
  assert.equal(told(await checkout.run(checkout.lazaret, [], { env: { NODE_COMPILE_CACHE: '/dev/null/x' } })).cache, '/dev/null/x')
  assert.match(readFileSync(join(checkout.root, 'node_modules/.lazaret-setup'), 'utf8'), /^[0-9a-f]{64} production own\n$/)
})
