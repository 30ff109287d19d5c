import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as vm from 'node:vm'
import { type FitCheck, toFitCheckScript } from './fit-check.ts'
import { type JsonWriter, toJsonWriterScript } from './json-writer.ts'
import type { PlainSchema } from './plain-schema.ts'
import type { Definition } from './read-definition.ts'

/** Makes values that belong to the container, so that the function meets its own `Object` and `Array`. */
export interface Realm {
  /** `JSON.parse` of the container. */
  parseJson(text: string, reviver?: (key: string, value: unknown) => unknown): unknown
  createObject(): Record<string, unknown>
  createArray(values: readonly unknown[]): unknown[]
  createSteps(parts: StepsParts): CallSteps
  createFitCheck(schema: PlainSchema): FitCheck
  /** Null where `JSON.stringify` is to write what fits. */
  createJsonWriter(schema: PlainSchema): JsonWriter | null
}

export interface StepsParts extends Pick<Definition, 'input' | 'output' | 'handler'> {
  /** Null: every value is left to the schema. */
  readonly fitsInput: FitCheck | null
  readonly fitsOutput: FitCheck | null
  /** Of what fits the output. */
  readonly writeOutput: JsonWriter | null
}

/**
 * The steps of a call that look into values of the container, as code of the container. Objects of
 * another realm have another shape to V8, even when they look alike: host code that read them would
 * meet as many shapes as there are functions, and each such read past the few thousand that V8
 * remembers takes a trip into its runtime. In here every shape is the only one.
 *
 * All of them may throw what the function throws.
 */
export interface CallSteps {
  /** Validates, then `enter` or `refuseInput`. */
  check(input: unknown, call: StepsCall): void
  /** Calls the handler; `onResult` or `onThrown` gets what becomes of it. */
  run(input: unknown, context: unknown, call: StepsCall): void
  /** `receiveReply`, `receiveResponse` or `receiveValue`. */
  receive(result: unknown, call: StepsCall): void
  /** Validates, then `sendChecked` or `failOutput`. `rest` is handed on. */
  checkOutput<Rest>(value: unknown, rest: Rest, call: StepsCall<Rest>): void
  /**
   * Waits once more for a promise, after the microtask that would have told of it may be lost. By the
   * language's own `then`: that of a subclass may not be meant to be called twice.
   */
  followAgain(promise: Promise<unknown>, onAwaited: OnAwaited, call: StepsCall): void
}

export type OnAwaited = (value: unknown) => void

/** What the steps tell a call. */
export interface StepsCall<Rest = never> {
  /** What the steps wait for, and what is to become of it; null in between. */
  awaited: unknown
  onAwaited: OnAwaited | null
  enter(input: unknown): void
  refuseInput(issues: readonly StandardSchemaV1.Issue[]): void
  onResult(result: unknown): void
  onThrown(thrown: unknown): void
  receiveReply(status: unknown, body: unknown, headers: unknown): void
  receiveValue(value: unknown): void
  /** What calls itself one: to read the class of `Response` may load all of `fetch`. */
  receiveResponse(value: unknown): void
  /** `json` is that of the value; null when it has yet to be written. */
  sendChecked(value: unknown, rest: Rest, json: string | null): void
  failOutput(issues: readonly StandardSchemaV1.Issue[]): void
}

/** Names the code of steps in stacks. */
export const realmUrl = 'needle:realm'

const script = new vm.Script(
  `'use strict';
(() => {
  const isThenable = (value) =>
    typeof value === 'object' && value !== null && typeof value.then === 'function';
  const { apply } = Reflect;
  const { then } = Promise.prototype;
  // Whoever follows it twice is called back once.
  const isFirst = (thenable, call) => {
    if (call.awaited !== thenable) return false;
    call.awaited = null;
    return true;
  };
  // Adopted unless it is a promise: others may settle twice, or with another one.
  const follow = (thenable, onValue, call) => {
    call.awaited = thenable;
    call.onAwaited = onValue;
    const promise = thenable instanceof Promise ? thenable : Promise.resolve(thenable);
    promise.then(
      (value) => { if (isFirst(thenable, call)) onValue(value); },
      (thrown) => { if (isFirst(thenable, call)) call.onThrown(thrown); },
    );
  };
  const followAgain = (promise, onValue, call) => {
    apply(then, promise, [
      (value) => { if (isFirst(promise, call)) onValue(value); },
      (thrown) => { if (isFirst(promise, call)) call.onThrown(thrown); },
    ]);
  };
  // What a schema comes to may be no result of one.
  const followSchema = (promise, onChecked, call) => {
    follow(promise, (checked) => {
      try {
        onChecked(checked);
      } catch (thrown) {
        call.onThrown(thrown);
      }
    }, call);
  };
  const brand = Symbol.for('needle.reply');
  return {
    parseJson: JSON.parse,
    createObject: () => ({}),
    createArray: (values) => Array.from(values),
    createSteps: (input, output, handler, fitsInput, fitsOutput, writeOutput) => {
      const inputSchema = input === null ? null : input['~standard'];
      const outputSchema = output === null ? null : output['~standard'];
      const onInput = (checked, call) => {
        if (checked.issues === undefined) call.enter(checked.value);
        else call.refuseInput(checked.issues);
      };
      const onOutput = (checked, rest, call) => {
        if (checked.issues === undefined) call.sendChecked(checked.value, rest, null);
        else call.failOutput(checked.issues);
      };
      return {
        followAgain,
        check: (value, call) => {
          if (fitsInput !== null && fitsInput(value)) return call.enter(value);
          const checked = inputSchema.validate(value);
          if (isThenable(checked)) followSchema(checked, (later) => onInput(later, call), call);
          else onInput(checked, call);
        },
        run: (value, context, call) => {
          const result = handler(value, context);
          if (isThenable(result)) follow(result, (value) => call.onResult(value), call);
          else call.onResult(result);
        },
        receive: (result, call) => {
          const isObject = typeof result === 'object' && result !== null;
          if (isObject && result[brand] === true) {
            call.receiveReply(result.status, result.body, result.headers);
          } else if (isObject && result[Symbol.toStringTag] === 'Response') {
            call.receiveResponse(result);
          } else call.receiveValue(result);
        },
        checkOutput: (value, rest, call) => {
          if (fitsOutput !== null && fitsOutput(value)) {
            return call.sendChecked(value, rest, writeOutput === null ? null : writeOutput(value));
          }
          const checked = outputSchema.validate(value);
          if (isThenable(checked)) followSchema(checked, (later) => onOutput(later, rest, call), call);
          else onOutput(checked, rest, call);
        },
      };
    },
  };
})()`,
  { filename: realmUrl },
)

/** The realm of this context; null: the one this code is in. */
export function createRealm(context: vm.Context | null): Realm {
  const run = (script: vm.Script) =>
    context === null ? script.runInThisContext() : script.runInContext(context)
  const made = run(script)
  // Objects of the host's own, for the reason `CallSteps` gives.
  const { parseJson, createObject, createArray, createSteps } = made
  return {
    parseJson,
    createObject,
    createArray,
    createSteps: ({ input, output, handler, fitsInput, fitsOutput, writeOutput }) => {
      const { check, run, receive, checkOutput, followAgain } = createSteps(
        input,
        output,
        handler,
        fitsInput,
        fitsOutput,
        writeOutput,
      )
      return { check, run, receive, checkOutput, followAgain }
    },
    createFitCheck: (schema) => run(toFitCheckScript(schema)),
    createJsonWriter: (schema) => {
      const script = toJsonWriterScript(schema)
      return script && run(script)
    },
  }
}
