import assert from 'node:assert/strict'
import { dirname, join, sep } from 'node:path'
import { test } from 'node:test'
import { computedImports, isForTests, modulesNamedIn, read, sourceFiles } from './sources.ts'

const stages = [
  'access',
  'push',
  'inventory',
  'prove',
  'alert',
  'advisories',
  'match',
  'audit',
  'mirror',
  'refresh',
  'judge',
  'gate',
  'watch',
]

/** docs/architecture.md, "Folders and walls": which folders of src each may import, besides itself. */
const walls: Record<string, readonly string[]> = {
  model: [],
  kit: ['model'],
  versions: ['model'],
  store: ['model', 'kit'],
  access: ['model', 'kit', 'store'],
  push: ['model', 'kit', 'store'],
  inventory: ['model', 'kit', 'store'],
  prove: ['model', 'kit', 'store'],
  alert: ['model', 'kit', 'store'],
  advisories: ['model', 'kit', 'store', 'versions'],
  match: ['model', 'kit', 'store', 'versions'],
  audit: ['model', 'kit', 'store', 'versions'],
  mirror: ['model', 'kit', 'store', 'versions'],
  refresh: ['model', 'kit', 'store', 'versions'],
  judge: ['model'],
  gate: ['model', 'kit', 'store'],
  watch: ['model', 'kit'],
  flow: ['model', 'kit', 'store', 'versions', ...stages],
  serve: ['model', 'kit', 'flow'],
  cli: ['model', 'kit', 'flow', 'serve'],
}

/** These compute only: no clock of their own, no disk, no network, no package; hashing is fine. */
const pure = ['model', 'judge']
const harmless = ['node:crypto']

const shipped = sourceFiles('src').filter((file) => !isForTests(file))

test('every folder of src imports only what the table lets it', () => {
  const seen = new Set<string>()
  const broken: string[] = []
  for (const file of shipped) {
    const folder = folderOf(file)
    if (folder === 'main.ts') continue
    seen.add(folder)
    const allowed = walls[folder]
    assert.ok(allowed, `${file}: the table has no folder ${folder}`)
    for (const target of inner(file)) {
      const other = folderOf(target)
      if (target === 'package.json') continue
      if (!target.startsWith('src/')) broken.push(`${file} imports ${target}, which does not ship`)
      else if (other !== folder && !allowed.includes(other))
        broken.push(`${file} imports ${target}: ${folder} may import ${allowed.join(', ') || 'nothing'}`)
    }
  }
  assert.deepEqual(broken, [])
  assert.ok(shipped.length > 50, `only ${shipped.length} files were seen`)
  for (const folder of ['model', 'kit', 'store', 'gate', 'judge', 'inventory', 'match'])
    assert.ok(seen.has(folder), `saw no file of ${folder}`)
})

test('what is pure imports no package and nothing of Node', () => {
  const impure = shipped
    .filter((file) => pure.includes(folderOf(file)))
    .flatMap((file) =>
      modulesNamedIn(read(file))
        .filter((name) => !name.startsWith('.') && !harmless.includes(name))
        .map((name) => `${file} imports ${name}`),
    )
  assert.deepEqual(impure, [])
})

test('code that ships leans on nothing that is for tests', () => {
  const broken = shipped.flatMap((file) =>
    inner(file)
      .filter(isForTests)
      .map((target) => `${file} imports ${target}`),
  )
  assert.deepEqual(broken, [])
})

test('no import is computed, as its target could not be checked', () => {
  assert.deepEqual(
    shipped.flatMap((file) => computedImports(read(file)).map((text) => `${file}: ${text}`)),
    [],
  )
})

test('imports are found in every form', () => {
  const forms = [
    "import { a } from './x.ts'",
    "import type { A } from './x.ts'",
    "import './x.ts'",
    "import * as x from './x.ts'",
    "export * from './x.ts'",
    "export { a } from './x.ts'",
    "await import('./x.ts')",
    'await import("./x.ts")',
    "import(\n  './x.ts',\n)",
    "type X = typeof import('./x.ts')",
    "new URL('./x.ts', import.meta.url)",
    "fork('./x.ts')",
    "require('./x.ts')",
    'import {\n  a,\n  b,\n} from "./x.ts"',
  ]
  for (const form of forms) assert.deepEqual(modulesNamedIn(`const a = 1\n${form}\n`), ['./x.ts'], form)
  assert.deepEqual(modulesNamedIn("import fs from 'node:fs'\nimport pg from 'pg'"), ['node:fs', 'pg'])
  assert.equal(computedImports("import('./x.ts'); import(name); import(`./${name}.ts`)").length, 2)
  assert.deepEqual(modulesNamedIn("const from = 'here'; from ('x')"), [])
})

/** Files of the repository that a file imports, from the root. */
function inner(file: string): string[] {
  return modulesNamedIn(read(file))
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(file), name))
}

function folderOf(file: string): string {
  return file.split(sep)[1] ?? ''
}
