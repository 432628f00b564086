// What one room adds concerns the rooms beside it: each route, table, command and setting that the code has is held to its line
// in crossings.ts, and that line to the rights, the walks, the documents and the statements that it names.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { commands as commandTable } from '../../src/cli/commands.ts'
import { policies, ruleIds } from '../../src/judge/policy.ts'
import { catalogue, settingPaths, variableOf } from '../../src/kit/settings/catalogue.ts'
import { actionsFor } from '../../src/serve/oci/rights.ts'
import { openRecords } from '../../src/store/records/open.ts'
import { ociRequests, ociRoutesOf, otherRequests, routesOf, samplePath } from '../protocol/walls/routes.ts'
import type { Asker } from '../protocol/support/asker.ts'
import { expectOk, jsonOf } from '../protocol/support/shapes.ts'
import { openWorld, type World } from '../protocol/support/world.ts'
import type { Answer } from '../support/protocol.ts'
import { scratch } from '../support/scratch.ts'
import { commands, deletedAs, reachedBy, type Needs, ociRoutes, routes, settings, tables } from './crossings.ts'
import { isForTests, read, root, sourceFiles } from './sources.ts'

const shipped = sourceFiles('src').filter((file) => !isForTests(file))

describe('routes', () => {
  const stack = new AsyncDisposableStack()
  let world: World
  let callers: Record<'nobody' | 'granted' | 'admin', Asker>
  before(async () => {
    world = await openWorld(stack, { idle: true })
    const granted = await world.addUser('granted', 'pull=**', 'push=**', 'delete=**', 'read-quarantined=**')
    callers = { nobody: world.anonymous, granted, admin: world.admin }
  })
  after(() => stack.disposeAsync())

  test('each has its line, and is walked by who may not', async () => {
    const found = (await routesOf(world)).toSorted()
    assert.ok(found.length >= 25, String(found.length))
    assert.deepEqual(found, Object.keys(routes).toSorted())
    assert.deepEqual(found, Object.keys(otherRequests).toSorted(), 'test/protocol/walls/routes.ts')
    assert.deepEqual(
      forManyInTheWalk(),
      keysWhere(routes, ({ needs }) => needs === 'grants' || needs === 'sign-in'),
      'test/api/rights.test.ts',
    )
  })

  for (const [route, { needs }] of Object.entries(routes)) {
    test(`${route}: ${needs}`, async () => {
      const [method = '', path = ''] = route.split(' ')
      for (const [who, asker] of Object.entries(callers) as [keyof typeof callers, Asker][]) {
        const { status, body } = await asker.ask(path, { method })
        const refusal = refusalOf(needs, who)
        const place = `${who}: ${status} ${body.toString('utf8').slice(0, 300)}`
        if (refusal !== undefined) assert.equal(status, refusal, place)
        else assert.ok(status !== 401 && status !== 403 && status < 500, place)
      }
    })
  }

  test('each is described: by OpenAPI and its page, or by a document that names it', async () => {
    const document = jsonOf<{ paths: Record<string, Record<string, { summary?: string }>> }>(
      expectOk(await world.admin.get('/api/openapi.json')),
    )
    const page = expectOk(await world.admin.get('/api/docs')).body.toString('utf8')
    for (const [route, { page: named }] of Object.entries(routes)) {
      const [method = '', path = ''] = route.split(' ')
      const operation = document.paths[path]?.[method.toLowerCase()]
      assert.ok(operation !== undefined || named !== undefined, `${route}: no document names it`)
      if (named !== undefined) assert.ok(read(named).includes(path), `${named} does not name ${path}`)
      if (operation === undefined) continue
      assert.ok((operation.summary ?? '').length >= 10, `${route}: no summary`)
      assert.ok(page.includes(`<code>${route}</code>`), `/api/docs lacks ${route}`)
    }
  })

  test('those below /v2 have their line and their methods, are walked, and docs/registry.md names what they are for', async () => {
    const found = sortedMethods(await ociRoutesOf(world))
    assert.ok(Object.keys(found).length >= 7)
    assert.deepEqual(found, sortedMethods(mapValues(ociRoutes, ({ methods }) => Object.keys(methods))))
    assert.deepEqual(found, sortedMethods(mapValues(ociRequests, (requests) => Object.keys(requests))), 'test/protocol/walls/routes.ts')
    for (const [resource, { named }] of Object.entries(ociRoutes))
      assert.ok(read('docs/registry.md').includes(named), `${resource}: ${named}`)
  })

  test('each of those needs what its line says: by the rights, and by what who has each grant is answered', async () => {
    const actions = ['pull', 'push', 'delete'] as const
    const byGrant = await Promise.all(
      actions.map(async (action) => [action, await world.addUser(`may-${action}`, `${action}=**`)] as const),
    )
    for (const { resource, method, needs } of ociLines()) {
      const path = samplePath(resource)
      const place = `${method} ${path}`
      assert.equal((await world.anonymous.ask(path, { method })).status, 401, place)
      if (needs === 'sign-in') {
        assert.equal((await world.admin.ask(path, { method })).status, 200, place)
        continue
      }
      assert.deepEqual(actionsFor(method, resource as 'blobs').toSorted(), [...needs].toSorted(), place)
      for (const [action, asker] of byGrant) {
        const answer = await asker.ask(path, { method })
        assert.equal(isRefused(answer), !needs.includes(action), `${place} by ${action}: ${answer.status} ${answer.reason}`)
      }
    }
  })
})

describe('tables', () => {
  test('each that the records have is in the schema, and has its line', async () => {
    const inSchema = [
      ...(/interface Schema \{([^]*?)\n\}/.exec(read('src/store/records/schema.ts'))?.[1] ?? '').matchAll(/^ {2}(\w+): \{/gm),
    ].map(([, name = '']) => name)
    assert.ok(inSchema.length >= 20, String(inSchema.length))
    assert.deepEqual(inSchema.toSorted(), Object.keys(tables).toSorted())
    assert.deepEqual((await tablesInRecords()).toSorted(), inSchema.toSorted())
  })

  test('the rows of each end as its line says, or stay for a reason', () => {
    const migrations = sourceFiles('src/store/records/migrations').map(read).join('\n')
    for (const [table, { ends, backup }] of Object.entries(tables)) {
      assert.ok(backup.length > 20, `${table}: no word about backup`)
      if ('by' in ends) assert.ok(deletesFrom(ends.by, table), `${ends.by} deletes nothing from ${table}`)
      else if ('with' in ends) assert.ok(cascadeOf(table, ends.with).test(migrations), `${table} does not end with ${ends.with}`)
      else {
        const deleting = shipped.filter((file) => deletesFrom(file, table))
        assert.deepEqual(deleting, [], `${table} is said to stay: ${ends.stays}`)
      }
    }
  })

  test('the suite that covers each is there, is run, and names it', () => {
    for (const [table, { suite }] of Object.entries(tables)) {
      if (typeof suite !== 'string') {
        const touching = shipped.filter((file) => !file.startsWith('src/store/records/') && touches(file, table))
        assert.deepEqual(touching, [], `${table} is said to have no suite: ${suite.none}`)
        continue
      }
      assert.ok(existsSync(join(root, suite)), suite)
      assert.ok(names(suite, reachedBy[table] ?? table), `${suite} says nothing of ${table}`)
      assert.ok(suite.endsWith('.test.ts') || isUsedByATest(suite), `${suite}: no test uses it`)
    }
  })
})

describe('commands', () => {
  test('each has its line, and a page that shows it', () => {
    assert.deepEqual(Object.keys(commandTable).toSorted(), Object.keys(commands).toSorted())
    assert.ok(Object.keys(commandTable).length >= 10)
    for (const [name, { page }] of Object.entries(commands))
      assert.ok(new RegExp(`\\blazaret ${name}\\b`).test(read(page)), `${page} does not show lazaret ${name}`)
  })

  test('where people read a table, programs read JSON', async () => {
    for (const [name, { prints }] of Object.entries(commands)) {
      const { usage } = (await commandTable[name]?.load()) ?? { usage: '' }
      assert.equal(/--format table\|json\b/.test(usage), prints === 'table', `lazaret ${name} ${usage}`)
      if (prints !== 'table')
        assert.doesNotMatch(read(`src/cli/commands/${name}.ts`), /from '\.\.\/table\.ts'/, `lazaret ${name} prints a table`)
    }
  })

  test('no document shows a command that there is not', () => {
    const documents = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...Object.values(commands).map(({ page }) => page)]
    const shown = [...new Set(documents)].flatMap((file) =>
      Array.from(read(file).matchAll(/(?:`|^|\/)lazaret ([a-z]+)/gm), ([, name = '']) => `${file}: ${name}`),
    )
    assert.ok(shown.length > 20, String(shown.length))
    assert.deepEqual(
      shown.filter((line) => !Object.hasOwn(commandTable, line.split(': ')[1] ?? '')),
      [],
    )
  })
})

describe('settings', () => {
  const page = read('docs/settings.md')

  test('each has its line, and docs/settings.md has its row', () => {
    assert.deepEqual(settingPaths.toSorted(), Object.keys(settings).toSorted())
    for (const path of settingPaths) assert.ok(page.includes(`| \`${path}\` | \`${variableOf(path)}\` |`), path)
  })

  test('each takes effect where its line says, or its own words say that it does in a later release', () => {
    for (const path of settingPaths) {
      const place = settings[path]
      assert.ok(place !== undefined, path)
      const isLater = place === 'later' || place.unused !== undefined
      assert.equal(/later release/.test(catalogue[path].says), isLater, `${path}: ${catalogue[path].says}`)
      if (place === 'later') assert.deepEqual(readersOf(path), [], `${path} is read, and its words say that it has no effect yet`)
      else assert.ok(read(place.file).includes(place.spelled), `${place.file} does not read ${path} as ${place.spelled}`)
      if (place !== 'later' && place.unused !== undefined)
        assert.deepEqual(importersOf(place.unused), [], `${place.unused} is in use, and the words of ${path} say that it has no effect yet`)
    }
  })
})

test('docs/gate.md names every rule of the policy, with what `balanced` says', () => {
  const rows = read('docs/gate.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  for (const rule of ruleIds) {
    const row = rows.find((line) => line.includes(`\`${rule}\``))
    assert.ok(row, `docs/gate.md lacks ${rule}`)
    assert.match(row, new RegExp(`\\| ${policies.balanced.effects[rule]}\\b[^|]*\\|$`), row)
  }
})

/** The status that a caller is refused with; undefined where it is not. */
function refusalOf(needs: Needs, who: 'nobody' | 'granted' | 'admin'): number | undefined {
  if (needs === 'anyone' || who === 'admin') return undefined
  if (who === 'nobody') return 401
  return needs === 'admin' ? 403 : undefined
}

/** What is not there, or malformed, is said only to who may know. */
function isRefused({ status, body }: Answer): boolean {
  assert.ok(status < 500, body.toString('utf8'))
  return status === 401 || status === 403
}

/** What test/api/rights.test.ts does not walk as an administrator's alone. */
function forManyInTheWalk(): string[] {
  const list = /const forMany = new Set\(\[([^\]]*)\]\)/.exec(read('test/api/rights.test.ts'))?.[1] ?? ''
  return Array.from(list.matchAll(/'([^']+)'/g), ([, route = '']) => route).toSorted()
}

function ociLines() {
  return Object.entries(ociRoutes).flatMap(([resource, { methods }]) =>
    Object.entries(methods).map(([method, needs]) => ({ resource, method, needs })),
  )
}

async function tablesInRecords(): Promise<string[]> {
  await using stack = new AsyncDisposableStack()
  const records = await openRecords(await scratch(stack, 'crossed'), undefined)
  stack.defer(() => records.close())
  return (await records.read.introspection.getTables()).map(({ name }) => name)
}

function cascadeOf(table: string, parent: string): RegExp {
  return new RegExp(`create table ${table} \\([^;]*references ${parent} \\(id\\) on delete cascade`)
}

function names(file: string, table: string): boolean {
  return new RegExp(`\\b${table}\\b`).test(read(file))
}

/** In a statement, as Kysely's or as SQL. */
function touches(file: string, table: string): boolean {
  return new RegExp(`'${table}['. ]|\\b(?:from|into|update|join) ${table}\\b`).test(read(file))
}

function deletesFrom(file: string, table: string): boolean {
  const text = read(file)
  return text.includes(deletedAs[table] ?? `deleteFrom('${table}')`) || new RegExp(`\\bdelete from ${table}\\b`).test(text)
}

function isUsedByATest(suite: string): boolean {
  const name = suite.slice(suite.lastIndexOf('/') + 1)
  const folder = suite.slice(0, suite.lastIndexOf('/'))
  return sourceFiles('src', 'test').some(
    (file) => file !== suite && file.startsWith(folder.slice(0, folder.lastIndexOf('/'))) && read(file).includes(`/${name}'`),
  )
}

/** Files that read a setting by its path, the loader's own aside. */
function readersOf(path: string): string[] {
  const spelled = new RegExp(`\\bsettings\\.${path.replaceAll('.', '\\.')}\\b`)
  return shipped.filter((file) => !file.startsWith('src/kit/settings/') && spelled.test(read(file)))
}

/** Files outside its own stage that name a module: `store/collection/collection.ts`. Throws where there is no such module. */
function importersOf(module: string): string[] {
  assert.ok(existsSync(join(root, 'src', module)), module)
  const stage = module.slice(0, module.indexOf('/'))
  return shipped.filter((file) => !file.startsWith(`src/${stage}/`) && read(file).includes(`/${module}'`))
}

function keysWhere<T>(record: Record<string, T>, keep: (value: T) => boolean): string[] {
  return Object.keys(record)
    .filter((key) => keep(record[key] as T))
    .toSorted()
}

function mapValues<T, R>(record: Record<string, T>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

function sortedMethods(methods: Record<string, string[]>): Record<string, string[]> {
  return mapValues(methods, (list) => list.toSorted())
}
