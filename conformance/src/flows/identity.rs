//! Identity of created resources: an idempotency key and an id each name one resource, which can be read only below its own parent.

use super::create::Thing;
use super::driver::{Call, Driver, Stopped};
use super::resource::request_schema;
use super::shape;
use crate::case::serialize::text;
use crate::finding::FlowFault;
use crate::rule::flows as rules;
use crate::samples::template_names;

impl Driver<'_> {
    /// Creates twice with the same idempotency key.
    pub(super) async fn keys(
        &mut self,
        index: usize,
        above: &[String],
        like: &Thing,
    ) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let Some(create) = resource.create.filter(|_| !resource.creates_by_put()) else {
            return Ok(());
        };
        let Some(key) = self.fresh_key(create, false) else {
            return Ok(());
        };
        let mut call = Call::new(create, above);
        let schema = request_schema(self.session.document, self.operation(create));
        let count = self.creations;
        self.creations += 1;
        call.body = match (schema, &like.sent) {
            (Some(schema), Some(sent)) => Some(self.bodies.varied(&schema, sent, count)),
            _ => like.sent.clone(),
        };
        call.headers.push(key.clone());
        let mut made = Vec::new();
        for _ in 0..2 {
            let answer = self.send(call.clone()).await?;
            if answer.is_ok() {
                made.extend(self.thing(index, above, call.body.clone(), answer));
            }
        }
        if let [one, two] = &made[..] {
            if one.id == two.id {
                self.live.pop();
            } else {
                let fault = FlowFault::CreatedTwice { header: key.0 };
                let answer = two.answer.clone();
                self.note(rules::KEY_CREATES_ONCE, create, fault, Some(&answer));
            }
        }
        Ok(())
    }

    /// Creates a resource with an id that is taken, where clients choose ids and the document has a 409 response.
    pub(super) async fn duplicates(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
    ) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let create = resource.create.filter(|_| !resource.creates_by_put());
        let (Some(create), Some(sent)) = (create, &thing.sent) else {
            return Ok(());
        };
        let documented = self.operation(create).responses(self.session.document);
        let is_documented = documented.iter().any(|(status, _)| status == "409");
        let own = shape::ids(sent, &resource.parameter, &resource.singular());
        let is_id = |at: &&String| {
            let value = sent.pointer(at).map(text);
            value.as_ref() == Some(&thing.id)
        };
        let (Some(at), true) = (own.iter().find(is_id), is_documented) else {
            return Ok(());
        };
        if self.state(index, thing).await?.is_none() {
            return Ok(());
        }
        let Some(schema) = self.schemas_of(create).0 else {
            return Ok(());
        };
        let mut body = self.bodies.varied(&schema, sent, self.creations);
        if let (Some(place), Some(id)) = (body.pointer_mut(at), sent.pointer(at)) {
            *place = id.clone();
        }
        self.creations += 1;
        let answer = self.send(Call::new(create, above).body(body)).await?;
        if answer.status == 201 {
            let fault = FlowFault::CreatedAgain {
                at: at.clone(),
                status: answer.status,
            };
            self.note(rules::ID_TAKEN_ONCE, create, fault, Some(&answer));
        }
        Ok(())
    }

    /// Reads a resource below a parent that it was not created below.
    pub(super) async fn other_parent(
        &mut self,
        index: usize,
        above: &[String],
        thing: &Thing,
    ) -> Result<(), Stopped> {
        let resource = &self.resources[index];
        let (Some(parent), Some(read)) = (resource.parent, resource.read) else {
            return Ok(());
        };
        let depth = template_names(&self.resources[parent].collection).len();
        if self.resources[parent].create.is_none() || above.len() != depth + 1 {
            return Ok(());
        }
        let Some(before) = self.state(index, thing).await? else {
            return Ok(());
        };
        let findings = self.findings.len();
        let other = self.create(parent, &above[..depth]).await?;
        self.forget_refusals(findings);
        let (Some(other), Some(id)) = (other, thing.path.last()) else {
            return Ok(());
        };
        let mut path = other.path;
        path.push(id.clone());
        let answer = self.send(Call::new(read, &path)).await?;
        // The new parent has no children, so the response cannot be about another resource with the same id.
        if answer.is_ok() && answer.body == before.answer.body && answer.body.is_some() {
            let fault = FlowFault::Elsewhere {
                parent: self.resources[parent].name.clone(),
                status: answer.status,
            };
            self.note(rules::PARENT_CHECKED, read, fault, Some(&answer));
        }
        Ok(())
    }
}
