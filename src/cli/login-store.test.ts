import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import { getByHelper } from './credential-helper.ts'
import { forgetLogin, keepLogin, keptLogin, keptServer } from './login-store.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

const server = 'http://localhost:5000'
const login = { server, username: 'bob', password: 'the-password' }

/** A home, and a credential helper that keeps what it is given in a file beside it. */
async function home(config?: object | string): Promise<{ env: Record<string, string>; file: string; folder: string }> {
  const folder = await scratch(stack, 'login')
  const file = join(folder, '.docker', 'config.json')
  if (config !== undefined) {
    await mkdir(join(folder, '.docker'))
    await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config))
  }
  const helper = `#!/bin/sh
case "$1" in
  store) cat > "${folder}/stored" ;;
  get) read -r host; if [ -f "${folder}/stored" ] && grep -q "\\"$host\\"" "${folder}/stored"; then cat "${folder}/stored"; else echo "credentials not found in native keychain"; exit 1; fi ;;
  erase) read -r host; if [ -f "${folder}/stored" ]; then rm "${folder}/stored"; else echo "credentials not found in native keychain"; exit 1; fi ;;
esac
`
  await writeFile(join(folder, 'docker-credential-file'), helper)
  await writeFile(join(folder, 'docker-credential-broken'), '#!/bin/sh\necho "the keychain is locked"\nexit 1\n')
  await writeFile(join(folder, 'docker-credential-odd'), '#!/bin/sh\necho "no json"\n')
  await writeFile(join(folder, 'docker-credential-endless'), '#!/bin/sh\nyes endless\n')
  await writeFile(join(folder, 'docker-credential-silent'), '#!/bin/sh\nexec 2>/dev/null\nsleep 3 &\nwait\n')
  for (const name of ['file', 'broken', 'odd', 'endless', 'silent']) await chmod(join(folder, `docker-credential-${name}`), 0o755)
  return { env: { HOME: folder, PATH: `${folder}:/usr/bin:/bin` }, file, folder }
}

const contentOf = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>

test('kept in the file of Docker, mode 0600, and found again', async () => {
  const { env, file, folder } = await home()
  assert.equal(await keptLogin(server, env), undefined)
  assert.equal(await keptServer(env), undefined)
  assert.deepEqual(await keepLogin(login, env), { file })
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, '.docker'))).mode & 0o777, 0o700)
  assert.deepEqual(await contentOf(file), { auths: { 'localhost:5000': { auth: Buffer.from('bob:the-password').toString('base64') } } })
  assert.deepEqual(await keptLogin(server, env), login)
  assert.equal(await keptServer(env), server)
  assert.equal(await keptLogin('https://other.example', env), undefined)
  assert.equal(await forgetLogin(server, env), true)
  assert.deepEqual([await keptLogin(server, env), await keptServer(env), await forgetLogin(server, env)], [undefined, undefined, false])
  assert.deepEqual(await contentOf(file), { auths: {} })
})

test('a file that others may read is tightened, a link is followed, and no half file is left', async () => {
  const { env, file, folder } = await home()
  await mkdir(join(folder, '.docker'))
  await writeFile(join(folder, 'elsewhere.json'), '{"psFormat":"x"}', { mode: 0o644 })
  await symlink(join(folder, 'elsewhere.json'), file)
  await keepLogin(login, env)
  assert.equal((await stat(join(folder, 'elsewhere.json'))).mode & 0o777, 0o600)
  assert.equal((await contentOf(join(folder, 'elsewhere.json')))['psFormat'], 'x')
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('elsewhere')),
    ['elsewhere.json'],
  )
})

test('a file that is not what Docker writes is left alone, with words', async () => {
  for (const text of ['{', '[]', '"x"', 'null', '{"auths":5}']) {
    const { env, file } = await home(text)
    await assert.rejects(keepLogin(login, env), { code: 'SETTING_INVALID', message: new RegExp(file) }, text)
    assert.equal(await readFile(file, 'utf8'), text)
    assert.equal(await keptServer(env), undefined)
  }
  const { env } = await home('')
  assert.equal(await keptLogin(server, env), undefined, 'an empty file is none')
})

test('a credential helper keeps them, and nothing is in clear', async () => {
  const { env, file, folder } = await home({ credsStore: 'file', auths: { 'localhost:5000': { auth: 'b2xkOm9sZA==' } } })
  assert.deepEqual(await keepLogin(login, env), { helper: 'file' })
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'stored'), 'utf8')), {
    ServerURL: 'localhost:5000',
    Username: 'bob',
    Secret: 'the-password',
  })
  assert.deepEqual(await contentOf(file), { credsStore: 'file', auths: { 'localhost:5000': {} } })
  assert.deepEqual(await keptLogin(server, env), login)
  assert.equal(await forgetLogin(server, env), true)
  assert.deepEqual([await keptLogin(server, env), await forgetLogin(server, env)], [undefined, false])
})

test('a helper that fails is an error, and nothing is kept elsewhere instead', async () => {
  for (const [credsStore, said] of [
    ['broken', /docker-credential-broken store failed: the keychain is locked/],
    ['missing', /docker-credential-missing, which Docker's config\.json names, can't be run \(ENOENT\)/],
  ] as const) {
    const { env, file } = await home({ credsStore })
    await assert.rejects(keepLogin(login, env), said)
    assert.deepEqual(await contentOf(file), { credsStore })
    await assert.rejects(keptLogin(server, env), { code: 'UNAVAILABLE' })
  }
  const { env } = await home({ credHelpers: { 'localhost:5000': 'odd' } })
  await assert.rejects(keptLogin(server, env), /gave no JSON/)
  assert.equal(await keptLogin('http://localhost:5001', env), undefined, 'it is of that host alone')
})

test("Docker Hub's are found under the name that Docker gives it, in the file and with a helper", async () => {
  const hub = 'https://index.docker.io'
  const inFile = await home({ auths: { [`${hub}/v1/`]: { auth: Buffer.from('bob:the-password').toString('base64') } } })
  assert.deepEqual(await keptLogin(hub, inFile.env), { server: hub, username: 'bob', password: 'the-password' })
  for (const config of [{ credsStore: 'file' }, { credHelpers: { [`${hub}/v1/`]: 'file' } }]) {
    const { env, folder } = await home(config)
    await writeFile(join(folder, 'stored'), JSON.stringify({ ServerURL: `${hub}/v1/`, Username: 'bob', Secret: 'the-password' }))
    assert.deepEqual(await keptLogin(hub, env), { server: hub, username: 'bob', password: 'the-password' })
  }
})

test('a helper that never ends, or never stops to talk, is left', async () => {
  const { env } = await home()
  await assert.rejects(getByHelper('endless', 'localhost:5000', env), /get said more than 65536 bytes/)
  await assert.rejects(getByHelper('silent', 'localhost:5000', env, 200), /get took more than 0\.2 s/)
})
