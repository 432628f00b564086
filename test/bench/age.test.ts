// The aged store of the benches, small: it checks itself as it is made (bench/age/check.ts).

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { checkout } from '../support/lazaret.ts'
import { scratch } from '../support/scratch.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const run = promisify(execFile)
const age = (folder: string) => run(process.execPath, [join(checkout, 'bench', 'age.ts'), folder, '200'], { cwd: checkout })

test('a year is made once, and another folder is left alone', async () => {
  const folder = await scratch(stack, 'aged')
  const made = await age(folder)
  assert.match(made.stdout, /200 images are served[\s\S]*is found again[\s\S]*rows hold[\s\S]*Nothing is wrong/)
  assert.match((await age(folder)).stdout, /stands already\n$/)

  const other = await scratch(stack, 'other')
  await writeFile(join(other, 'kept'), 'kept')
  await assert.rejects(age(other), /holds something else/)
  assert.equal(await readFile(join(other, 'kept'), 'utf8'), 'kept')
})
