// The bench of scans: its images are what they say, and a figure is of a scan that saw them.

import assert from 'node:assert/strict'
import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { npmApp, smallFiles } from '../../bench/scan/contents.ts'
import { imageIn, proveImage } from '../../bench/scan/image.ts'
import { scannersIn } from '../../bench/scan/scanners.ts'
import { printTable } from '../../bench/scan/table.ts'
import { watched } from '../../bench/scan/watched.ts'
import { scratch } from '../support/scratch.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

test('an image is made once, proven, and read from the archive and the layout alike; a layer on top is one more', async () => {
  const folder = await scratch(stack, 'bench-images')
  const base = await imageIn(folder, 'npm', () => [npmApp(25)])
  assert.deepEqual(await imageIn(folder, 'npm', () => assert.fail('it is made anew')), base)
  const grown = await imageIn(folder, 'grown', () => [...base.layers, npmApp(3, 'added'), smallFiles(700)])
  assert.deepEqual(
    grown.layers.map(({ digest }) => digest).slice(0, 1),
    base.layers.map(({ digest }) => digest),
  )
  await proveImage(grown)

  const [lazaret] = await scannersIn(folder)
  assert.ok(lazaret)
  const cache = join(folder, 'cache')
  await lazaret.freshCache(cache)
  const scans = []
  for (const target of [base.archive, base.layout, grown.archive, grown.layout]) scans.push(await lazaret.scan(target, cache))
  assert.deepEqual(
    scans.map(({ packages }) => packages),
    [25, 25, 28, 28],
  )
  for (const { ms, peakMiB } of scans) assert.ok(ms > 10 && peakMiB > 20, `${ms} ms, ${peakMiB} MiB`)

  await truncate(base.layers[0]?.path ?? '', 100)
  await assert.rejects(proveImage(base))
})

test('a scan that saw too little, or failed, is no figure', async (t) => {
  const folder = await scratch(stack, 'bench-rows')
  const image = () => imageIn(folder, 'npm', () => [npmApp(5)])
  const lines: string[] = []
  t.mock.method(console, 'log', (line: string) => void lines.push(line))
  const row = { what: 'few', image, form: 'archive', target: '', peers: ['Lazaret'] } as const
  const [lazaret] = await scannersIn(folder)
  assert.ok(lazaret)
  const turns = { scanners: [lazaret], rounds: 1, folder }
  assert.equal(await printTable([{ ...row, leastPackages: 5 }], turns), true)
  assert.match(lines.at(-1) ?? '', /^\| few \(0 of 0 MB\) \| [\d.]+ s, \d+ MiB, 5 \|/)
  assert.equal(await printTable([{ ...row, leastPackages: 6 }], turns), false)
  assert.match(lines.at(-1) ?? '', /failed: .*5 packages of 6/)
  await assert.rejects(watched(['sh', '-c', 'echo why >&2; exit 3'], { cwd: folder }), /ended with 3: why/)
})

test('the memory of what a program starts counts, and is seen at its peak', async () => {
  const folder = await scratch(stack, 'bench-memory')
  const hold = 'const held = Buffer.alloc(150 << 20, 1); setTimeout(() => held.length, 1000)'
  const seen = await watched(['sh', '-c', `"${process.execPath}" -e '${hold}'; true`], { cwd: folder })
  assert.ok(seen.peakMiB > 150 && seen.peakMiB < 400, `${seen.peakMiB} MiB`)
})
