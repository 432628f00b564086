// The process beside the one that serves. Ends with its parent, and at any time it likes: jobs outlive it.
import { openWorker } from './tasks.ts'
import type { Request, Response } from './protocol.ts'
import { messageOf } from '../../kit/errors.ts'

const [blobFolder, advisoryFolder] = process.argv.slice(2)
if (blobFolder === undefined || advisoryFolder === undefined || process.send === undefined)
  throw new Error('the worker is started by the server')

const send = (response: Response) => process.send?.(response)
const worker = openWorker(blobFolder, advisoryFolder)

process.on('disconnect', () => process.exit(0))
process.on('message', (request: Request) => {
  worker
    .then((tasks) => tasks.run(request))
    .then(
      (result) => send({ id: request.id, ok: true, result }),
      (error: unknown) => send({ id: request.id, ok: false, problem: messageOf(error) }),
    )
})
