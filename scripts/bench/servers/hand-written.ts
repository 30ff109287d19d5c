/** The hand-written route in a process of its own. */
import { createHandWrittenApp } from './create-hand-written-app.ts'
import { serve } from './serve.ts'

await serve(createHandWrittenApp())
