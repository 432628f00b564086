import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes } from '../../src/kit/errors.ts'
import { loadSettings } from '../../src/kit/settings/settings.ts'
import { isForTests, read, root, sourceFiles } from './sources.ts'

test('no file is longer than 400 lines', () => {
  const long = sourceFiles('src', 'scripts', 'test', 'bench', 'bin')
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > 400)
  assert.deepEqual(long, [])
})

test('what ships names no path of a machine and nothing outside the checkout', () => {
  const shipped = [...sourceFiles('src').filter((file) => !isForTests(file)), 'bin/lazaret', 'bin/run', 'bin/setup.sh']
  const named = shipped.flatMap((file) =>
    Array.from(read(file).matchAll(/\.\.\/shared\b|\/tmp\/|\/work\/|\/root\/|\/usr\/local\/lib\/lazaret/g), ([path]) => `${file}: ${path}`),
  )
  assert.deepEqual(named, [])
  assert.ok(shipped.length > 50, `only ${shipped.length} files were seen`)
})

test('docs/errors.md explains every error code, and no other', () => {
  const explained = Array.from(
    read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| [^|]{10,} \| [^|]{10,} \|$/gm),
    ([, code, status]) => [code, Number(status)],
  )
  assert.deepEqual(Object.fromEntries(explained), errorCodes)
})

test('the example in docs/settings.md loads', () => {
  const example = /```yaml\n([^]*?)```/.exec(read('docs/settings.md'))?.[1]
  assert.ok(example)
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-example-'))
  try {
    writeFileSync(join(folder, 'secret'), 'x')
    writeFileSync(join(folder, 'lazaret.yaml'), example.replaceAll('/run/secrets/admin-password', 'secret'))
    assert.deepEqual(loadSettings({ env: {}, cwd: folder }).public, ['library/**'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what starts from a shell may be executed', () => {
  for (const file of ['bin/lazaret', 'bin/run', '.ci/run']) assert.equal(statSync(join(root, file)).mode & 0o111, 0o111, file)
})

test('links in the documents lead to files', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ].filter((file) => existsSync(join(root, file)))
  const dead = documents.flatMap((file) =>
    Array.from(read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g), ([, target = '']) => target)
      .filter((target) => !existsSync(join(root, file, '..', target)))
      .map((target) => `${file}: ${target}`),
  )
  assert.deepEqual(dead, [])
  assert.ok(documents.length > 3)
})
