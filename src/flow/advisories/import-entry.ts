// An import in a process beside the one that serves: reading some hundred megabytes of JSON would hold up every pull.
import { importAdvisories } from '../../advisories/import.ts'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { ImportOutcome } from './imports.ts'

const [path, dataFolder] = process.argv.slice(2)
const send = process.send?.bind(process)
if (path === undefined || dataFolder === undefined || send === undefined) throw new Error('the import is started by the server')

process.on('disconnect', () => process.exit()) // without its parent there is nobody to tell; the next import clears the work file away

send(await outcomeOf(path, dataFolder), () => process.disconnect?.())

async function outcomeOf(file: string, folder: string): Promise<ImportOutcome> {
  try {
    return { report: await importAdvisories([file], folder) }
  } catch (error) {
    return { code: error instanceof LazaretError ? error.code : 'INTERNAL', problem: messageOf(error) }
  }
}
