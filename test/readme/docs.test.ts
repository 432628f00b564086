// The commands in docs/, typed line by line as they stand, with names that are there put in the place of names that are not.

import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { zipOf } from '../../src/advisories/test-support.ts'
import { containersHome } from '../support/containers.ts'
import { writeLayout } from '../support/content.ts'
import { baseImage, critical, expectVerdict, fixedImage, flawedImage, pushAndJudge } from '../support/held.ts'
import { imageOf } from '../support/images.ts'
import { checkout, type Lazaret, launcher, startLazaret } from '../support/lazaret.ts'
import { must } from '../support/run.ts'
import { lacking, tool } from '../support/tools.ts'
import { alpineBase, npmApplication } from '../support/worlds.ts'
import { blocksIn, printedPattern, typedLines } from './blocks.ts'
import { openShell, type Shell } from './shell.ts'

interface Expected {
  /** How the line begins: what follows may change as long as it works. */
  begins: string
  code?: number
  says?: RegExp
  /** Of a line that asks for one at the terminal. */
  password?: () => string
}

const folder = join(checkout, 'docs')
const adasPassword = 'the-password-of-ada'

describe('the documents', { skip: lacking('skopeo', 'podman', 'docker', 'curl', 'script') }, async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md')).toSorted()
  const texts = new Map<string, string>()
  for (const name of names) texts.set(name, await readFile(join(folder, name), 'utf8'))
  const stack = new AsyncDisposableStack()
  let server: Lazaret
  let token = ''
  let deleted = ''

  before(async () => {
    server = await startLazaret(stack, { policy: 'balanced' })
    await pushAndJudge(server, 'demo/hello', '1', await flawedImage(critical, 'hello'), 'deny')
    await pushAndJudge(server, 'demo/hello', '2', await fixedImage(critical, 'hello'), 'allow')
    await pushAndJudge(server, 'shop/api', '1.4.2', await flawedImage(critical, 'api'), 'deny')
    const alpine = await imageOf([alpineBase([], '3.17.0'), npmApplication({ [critical.packageName]: critical.flawed })])
    await pushAndJudge(server, 'shop/alpine', '3.17', alpine, 'deny')
    const mistaken = await fixedImage(critical, 'deleted')
    await pushAndJudge(server, 'shop/api', '1', mistaken, 'allow')
    deleted = mistaken.root.digest
    assert.equal((await server.protocol(server.developer).remove('shop/api', deleted)).status, 202)
  })
  after(() => stack.disposeAsync())

  /** By document; every line that it shows as typed has one, and none is left over. */
  const expectations: Record<string, Expected[]> = {
    'access.md': [
      { begins: `printf '%s' "$PASSWORD" | lazaret users add ada `, says: /user ada is added/ },
      { begins: 'lazaret robots add shop-deploy ', says: /^lzr_[\w-]{43}$/m },
      { begins: 'docker login ', says: /Login Succeeded/, password: () => token },
      { begins: "lazaret repositories set 'shop/**' ", says: /shop\/\*\* is set/ },
      { begins: 'lazaret repositories show shop/api', says: /owner +team-shop +shop\/\*\*[^]*immutableTags +v\* / },
      { begins: 'lazaret repositories list --rules', says: /^shop\/\*\* +owner team-shop/m },
    ],
    'advisories.md': [
      { begins: 'lazaret advisories export ./advisories.zst', says: /^revision \d{6}-\d{8} is in \.\/advisories\.zst$/m },
      { begins: 'lazaret advisories key', says: /^ed25519:[A-Za-z0-9+/]{43}=$/m },
      { begins: 'lazaret advisories import ./advisories.zst', says: /stays in force/ },
      { begins: 'lazaret advisories revisions', says: /in force/ },
      { begins: 'lazaret advisories changes', says: /^ID +REVISION[^]*^1 +\d{6}-\d{8} /m },
      { begins: "lazaret advisories search 'minimist@<1.2.6'", says: /minimist +1\.2\.5 +npm/ },
    ],
    'gate.md': [{ begins: 'lazaret robots add shop-ci ', says: /^lzr_[\w-]{43}$/m }],
    'operations.md': [
      { begins: 'lazaret gc --dry-run', says: /^WOULD BE FREED +COUNT\nblobs +0$/m },
      { begins: 'lazaret gc deleted', says: /^MANIFEST +TAGS +DELETED +BY\nshop\/.* 1 .* user:developer$/m },
      { begins: 'lazaret gc undo ', says: /is back, tagged 1$/m },
      { begins: 'lazaret gc', says: /^FREED +COUNT\nblobs +0$/m },
      { begins: 'lazaret scrub start', says: /^to be read in this pass +\d+ /m },
      { begins: 'lazaret scrub', says: /^damaged +0/m },
      { begins: 'LAZARET_DATA=/srv/registry lazaret backup --verify ', says: / is whole: \d+ repositories/ },
      { begins: 'LAZARET_DATA=/srv/registry lazaret backup ', says: / is whole: \d+ repositories/ },
      { begins: 'LAZARET_DATA=/srv/restored lazaret restore ', says: / holds the backup of / },
      { begins: 'LAZARET_DATA=/srv/registry lazaret doctor --format json', says: /"wrong": 0/ },
      { begins: 'LAZARET_DATA=/srv/registry lazaret doctor', says: /^data folder +fine[^]*^Nothing is wrong\.$/m },
    ],
    'scanning.md': [
      { begins: 'lazaret why shop/api:1.4.2', code: 3, says: /is held[^]*CVE-2021-44906[^]*Update minimist/ },
      { begins: 'lazaret scan shop-api.tar --fail-on critical', code: 3, says: /critical +CVE-2021-44906/ },
      { begins: 'lazaret scan alpine:3.17 --policy balanced', code: 3, says: /policy balanced: deny/ },
      { begins: 'lazaret sbom ./layout > sbom.json' },
      { begins: 'lazaret scan shop-api.tar --format json > before.json' },
      { begins: 'lazaret scan shop-api.tar --format sarif > shop-api.sarif' },
      { begins: 'lazaret scan shop-api.tar --base ./debian', says: /^Built on \.\/debian \(its lowest layer\)$[^]* IN BASE$/m },
      { begins: 'lazaret scan shop-api.tar --verbose', says: /^lazaret: known from before: all its layers \(\d+\)$/m },
      { begins: 'lazaret scan shop-api.tar --no-cache', says: /critical +CVE-2021-44906/ },
      { begins: 'lazaret cache status', says: /\/lazaret\/layers +\d+ +\d[\d.]* k?B$/m },
      { begins: 'lazaret cache clear', says: /^removed \d+ entries, / },
      { begins: 'lazaret scan before.json', says: /critical +CVE-2021-44906/ },
      { begins: 'lazaret sbom shop-api.tar --format spdx > shop-api.spdx.json' },
      { begins: 'lazaret scan shop-api.spdx.json --fail-on critical', code: 3, says: /critical +CVE-2021-44906/ },
      { begins: 'lazaret scan shop-api.tar --baseline before.json --fail-on new:high', says: /, 0 of them new$/m },
      { begins: 'lazaret diff before.json shop-api.tar', says: /^Nothing else differs\.$/m },
      { begins: 'curl -u ada ', says: /"id":"CVE-2021-44906"/, password: () => adasPassword },
      { begins: 'lazaret advisories status', says: /^revision /m },
      { begins: 'lazaret advisories import ', says: /all\.zip[^]*revision \d{6}-\d{8} is in force/ },
    ],
  }

  test('every document with commands has expectations for each, and none is left over', () => {
    const shown = names.filter((name) => blocksIn(texts.get(name) ?? '').some(({ language }) => language === 'sh'))
    assert.deepEqual(shown, Object.keys(expectations))
    for (const [name, expected] of Object.entries(expectations)) {
      const commands = typedLines(texts.get(name) ?? '').map(({ command }) => command)
      for (const { begins } of expected)
        assert.ok(
          commands.some((command) => command.startsWith(begins)),
          `docs/${name}: no line ${begins}`,
        )
      for (const command of commands)
        assert.ok(
          expected.some(({ begins }) => command.startsWith(begins)),
          `docs/${name}: ${command}`,
        )
    }
  })

  for (const [name, expected] of Object.entries(expectations)) {
    describe(`docs/${name}`, () => {
      let shell: Shell
      before(async () => {
        shell = await openSignedIn(name)
      })
      for (const { command, line } of typedLines(texts.get(name) ?? '')) {
        test(`line ${line}: ${command}`, async () => {
          const { code = 0, says = /(?:)/, password } = expected.find(({ begins }) => command.startsWith(begins)) ?? {}
          const outcome = await shell.type(withNames(command), password?.())
          assert.equal(outcome.code, code, outcome.output)
          assert.match(outcome.output, says)
          token = /^lzr_\S+$/m.exec(outcome.stdout)?.[0] ?? token
        })
      }
      if (name === 'access.md') test('what was given is what was shown', () => expectAccounts(shell))
      if (name === 'gate.md') test('the refusal is in the words that are shown', () => expectRefusal(shell))
      if (name === 'scanning.md') test('what was written, and what the API says of itself', () => expectScans(shell))
    })
  }

  /** The commands ask this server as the administrator; what Docker keeps is a pipeline's, that reads what is held. */
  async function openSignedIn(name: string): Promise<Shell> {
    const home = await containersHome(stack, 'docs')
    const [place, links] = [join(home.folder, 'place'), join(home.folder, 'links')]
    await mkdir(place)
    await mkdir(links)
    await symlink(launcher, join(links, 'lazaret'))
    for (const program of ['docker', 'curl']) await symlink(tool(program), join(links, program))
    const env = {
      ...home.env,
      PATH: [links, process.env['PATH']].join(delimiter),
      DOCKER_CONFIG: join(home.folder, 'docker'),
      LAZARET_SERVER: `http://${server.host}`,
      LAZARET_USERNAME: server.admin.username,
      LAZARET_PASSWORD: server.admin.password,
      PASSWORD: adasPassword,
      DIGEST: deleted,
    }
    const shell = await openShell(stack, place, env)
    if (name === 'scanning.md') await setScene(shell)
    return shell
  }

  async function setScene(shell: Shell): Promise<void> {
    const robot = await server.addRobot('scanner', 'read-quarantined=shop/**')
    const login = await shell.type(`printf '%s' '${robot.password}' | lazaret login http://${server.host} -u scanner --password-stdin`)
    assert.equal(login.code, 0, login.output)
    const place = (file: string) => join(shell.folder(), file)
    await writeLayout(await flawedImage(critical, 'api'), place('layout'), '1.4.2')
    await must('skopeo', ['copy', `oci:${place('layout')}:1.4.2`, `docker-archive:${place('shop-api.tar')}:shop/api:1.4.2`])
    await writeLayout(await baseImage('api'), place('debian'), '12')
    const flaw = { schema_version: '1.7.0', id: 'GHSA-aaaa-bbbb-cccc', modified: '2026-11-24T00:00:00Z', summary: 'a flaw' }
    const affected = [{ package: { ecosystem: 'npm', name: 'of-this-test' }, versions: ['1.0.0'] }]
    await writeFile(place('all.zip'), zipOf([{ name: `${flaw.id}.json`, bytes: Buffer.from(JSON.stringify({ ...flaw, affected })) }]))
    const vulnerabilities = [{ cveID: 'CVE-2026-99999', dateAdded: '2026-11-23' }]
    await writeFile(place('cisa-kev.json'), JSON.stringify({ catalogVersion: '2026.11.23', dateReleased: '2026-11-23', vulnerabilities }))
  }

  function withNames(command: string): string {
    const places = command
      .replace('/srv/registry', join(server.folder, 'data'))
      .replace('/srv/restored', './restored')
      .replace('/backup/', './')
    return places.replaceAll('127.0.0.1:5000', server.host).replace(' alpine:3.17 ', ` ${server.host}/shop/alpine:3.17 `)
  }

  async function expectAccounts(shell: Shell): Promise<void> {
    const listed = async (what: string) => {
      const outcome = await shell.type(`lazaret ${what} list --format json`)
      assert.equal(outcome.code, 0, outcome.output)
      return (JSON.parse(outcome.stdout) as { items: Account[] }).items
    }
    const grantsOf = (accounts: Account[], name: string) => accounts.find((account) => account.name === name)?.grants
    assert.deepEqual(grantsOf(await listed('users'), 'ada'), ['pull=shop/**', 'push=shop/api'])
    assert.deepEqual(grantsOf(await listed('robots'), 'shop-deploy'), ['pull=shop/**'])
    for (const credentials of [
      { username: 'ada', password: adasPassword },
      { username: 'shop-deploy', password: token },
    ])
      assert.equal((await server.api('/self', credentials)).status, 200, credentials.username)
  }

  async function expectRefusal(shell: Shell): Promise<void> {
    const shown = blocksIn(texts.get('gate.md') ?? '').find(({ language, lines }) => language === '' && lines[0]?.startsWith('lazaret: '))
    assert.ok(shown, 'docs/gate.md shows no refusal')
    const puller = await server.addRobot('demo-puller', 'pull=demo/**')
    const answer = await server.protocol(puller).manifest('demo/hello', '1')
    assert.equal(answer.status, 403)
    assert.match(answer.reason, new RegExp(`^${printedPattern(shown.lines.join('\n')).source}$`))
    const why = await shell.type('lazaret why demo/hello:1')
    assert.equal(why.code, 3)
    assert.match(why.stdout, /critical-with-fix: CVE-2021-44906[^]*demo\/hello:2/)
  }

  async function expectScans(shell: Shell): Promise<void> {
    const sbom = JSON.parse(await readFile(join(shell.folder(), 'sbom.json'), 'utf8')) as {
      bomFormat: string
      components: { purl?: string }[]
    }
    assert.equal(sbom.bomFormat, 'CycloneDX')
    assert.ok(sbom.components.some(({ purl }) => purl === 'pkg:npm/minimist@1.2.5'))
    for (const path of ['/api/docs', '/api/openapi.json']) assert.equal((await fetch(`http://${server.host}${path}`)).status, 200, path)
    await expectVerdict(server, 'shop/api:1.4.2', 'deny')
  }
})

interface Account {
  name: string
  grants: string[]
}
