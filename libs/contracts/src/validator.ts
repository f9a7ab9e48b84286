import { getMetadataStorage } from 'class-validator';
import type { FieldError } from './failure.js';
import type { Constructor } from './call.js';

interface Rule {
  holds: (value: unknown, object: object) => boolean;
  detail: string;
}

interface Field {
  name: string;
  appliesTo: ((object: object, value: unknown) => boolean)[];
  rules: Rule[];
}

/** What is wrong with a value, place by place; nothing when it is valid. */
export type Validator = (value: unknown) => FieldError[];

const validators = new WeakMap<Constructor<unknown>, Validator>();
const declared = new WeakMap<Constructor<unknown>, boolean>();

/** Whether a class declares fields, i.e. whether a parameter of this type is to be validated. */
export function isDeclared(type: Constructor<unknown>): boolean {
  let known = declared.get(type);
  if (known === undefined) {
    known = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false).length > 0;
    declared.set(type, known);
  }
  return known;
}

/**
 * The validator of a class declared with class-validator, compiled once: the declarations are read on first
 * use instead of on every request, which is what the library's own `validate` spends its time on. Fields that
 * are not declared are errors. A property test holds its verdicts against the library's.
 */
export function validatorOf(type: Constructor<unknown>): Validator {
  let validator = validators.get(type);
  if (!validator) validators.set(type, (validator = compile(type)));
  return validator;
}

function compile(type: Constructor<unknown>): Validator {
  const storage = getMetadataStorage();
  const fields = new Map<string, Field>();
  for (const metadata of storage.getTargetValidationMetadatas(type, '', false, false)) {
    const name = metadata.propertyName;
    const field = fields.get(name) ?? { name, appliesTo: [], rules: [] };
    fields.set(name, field);
    if (metadata.type === 'conditionalValidation') {
      field.appliesTo.push(metadata.constraints[0] as Field['appliesTo'][number]);
      continue;
    }
    for (const { instance } of storage.getTargetValidatorConstraints(metadata.constraintCls)) {
      const argumentsOf = (value: unknown, object: object) => ({
        value,
        object,
        property: name,
        targetName: type.name,
        constraints: metadata.constraints as unknown[],
      });
      field.rules.push({
        holds: (value, object) => instance.validate(value, argumentsOf(value, object)) as boolean,
        detail: String(instance.defaultMessage?.(argumentsOf(undefined, {}))),
      });
    }
  }
  const known = [...fields.values()];

  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return [{ pointer: '', detail: 'must be a JSON object' }];
    }
    const errors: FieldError[] = [];
    const object = value as Record<string, unknown>;
    for (const { name, appliesTo, rules } of known) {
      const content = Object.hasOwn(object, name) ? object[name] : undefined;
      if (!appliesTo.every((applies) => applies(object, content))) continue;
      for (const rule of rules) {
        if (rule.holds(content, object)) continue;
        const detail = content === undefined ? `is required, and ${rule.detail}` : rule.detail;
        errors.push({ pointer: `/${name}`, detail });
      }
    }
    for (const name of Object.keys(object)) {
      if (!fields.has(name)) errors.push({ pointer: pointerTo(name), detail: 'is not known here' });
      if (errors.length >= 100) break;
    }
    return errors;
  };
}

/** RFC 6901, section 3. Long names are cut: the pointer is for a reader. */
function pointerTo(name: string): string {
  return `/${name.slice(0, 128).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
