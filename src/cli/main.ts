// Each sync of a push holds a thread of libuv's pool, and with its four a read waits behind them. Set before the pool begins.
process.env['UV_THREADPOOL_SIZE'] ??= '32'

const { run } = await import('./run.ts')
process.exitCode = await run(process.argv.slice(2))
