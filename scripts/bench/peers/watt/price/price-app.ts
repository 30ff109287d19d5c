/** Watt calls `create` and listens itself. */
export { createHandWrittenApp as create } from '../../../servers/create-hand-written-app.ts'
