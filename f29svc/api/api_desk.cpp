#include "f29svc/api/asked.h"
namespace f29 {
#define NOT_YET(name) HttpResponse Api::name(const Call&) { return error_response({409, "not_yet", "not yet", {}}); }
NOT_YET(differences) NOT_YET(ready) NOT_YET(not_ready)
NOT_YET(reconcile) NOT_YET(reconciliation) NOT_YET(reconciliation_csv) NOT_YET(reconcile_notes)
NOT_YET(flow) NOT_YET(plan_flow) NOT_YET(defer_flow) NOT_YET(pay_flow) NOT_YET(flows) NOT_YET(flow_csv) NOT_YET(flow_ics)
NOT_YET(outage) NOT_YET(begin_outage) NOT_YET(end_outage)
}
