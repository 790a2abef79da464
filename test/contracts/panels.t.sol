// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice The lists of validators that calls carry. See panels.tree.
contract PanelsTest is Steps {
    function test_RevertWhen_TheNumberOfAppointmentsIsWrong() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        _assertAppointReverts(terms, appointmentsOf(1), wrongPanelSize(terms, 1, 2));
        _assertAppointReverts(terms, appointmentsOf(3), wrongPanelSize(terms, 3, 2));
        IJob.Terms memory optimistic = termsOf(0);
        reach(optimistic, State.Submitted);
        _assertAppointReverts(optimistic, appointmentsOf(0), invalidStatus(optimistic));
    }

    function test_RevertWhen_AnAppointedAccountIsNotEligible() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        IJob.Appointment[] memory list = appointmentsOf(2);
        address[3] memory excluded = [requester, provider, list[0].validator];
        for (uint256 i = 0; i < excluded.length; ++i) {
            list[1].validator = excluded[i];
            _assertAppointReverts(terms, list, notEligible(terms, excluded[i]));
        }
    }

    function test_RevertWhen_AnAppointedAccountHasNoOffer() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        IJob.Appointment[] memory list = appointmentsOf(1);
        list[0].validator = address(this);
        _assertAppointReverts(terms, list, noOffer(address(this), Role.Validator));
    }

    function test_RevertWhen_TheClosingListIsIncomplete() public {
        IJob.Terms memory terms = _expirable();
        address[] memory panel = panelOf(terms);
        assertEq(panel.length, 3, "three seats, one of a validator that left");
        address[] memory two = new address[](2);
        (two[0], two[1]) = (panel[0], panel[1]);
        _assertExpireReverts(terms, two, wrongPanelSize(terms, 2, 3));
        _assertExpireReverts(terms, new address[](4), wrongPanelSize(terms, 4, 3));
    }

    function test_RevertWhen_TheClosingListIsNotAscending() public {
        IJob.Terms memory terms = _expirable();
        address[] memory panel = panelOf(terms);
        address last = panel[2];
        panel[2] = panel[1];
        _assertExpireReverts(terms, panel, wrongSeat(terms, panel[1]));
        (panel[1], panel[2]) = (last, panel[1]);
        _assertExpireReverts(terms, panel, wrongSeat(terms, panel[2]));
    }

    function test_RevertWhen_TheClosingListNamesAnAccountWithoutASeat() public {
        IJob.Terms memory terms = _expirable();
        address[] memory panel = panelOf(terms);
        panel[0] = address(1);
        _assertExpireReverts(terms, panel, wrongSeat(terms, address(1)));
    }

    function test_RevertWhen_ADismissedValidatorHasCommitted() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        passDeadline(terms);
        address[] memory missing = new address[](2);
        (missing[0], missing[1]) = (validator(1), validator(0));
        assertReverts(
            requester, abi.encodeCall(escrow.dismiss, (terms, missing)), wrongSeat(terms, validator(0))
        );
    }

    function test_RevertWhen_ALocatorIsHandedToAnAccountWithoutASeat() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        address stranger = validator(5);
        bytes memory data = abi.encodeCall(escrow.handover, (terms, stranger, "sealed"));
        assertReverts(provider, data, wrongSeat(terms, stranger));
        assertReverts(stranger, data, notParty(terms, stranger));
        data = abi.encodeCall(escrow.handover, (terms, validator(0), new bytes(1025)));
        assertReverts(provider, data, tooLong(1025, 1024));
    }

    /// @dev One of two validators abstained and was replaced; the claim is overdue.
    function _expirable() private returns (IJob.Terms memory terms) {
        terms = termsOf(2);
        reach(terms, State.Validating);
        abstain(terms, validator(0));
        commit(terms, validator(1), honest());
        draw(terms);
        commitAll(terms, honest());
        revealAll(terms, honest());
        passDeadline(terms);
    }

    function _assertAppointReverts(
        IJob.Terms memory terms,
        IJob.Appointment[] memory list,
        bytes memory reason
    ) private {
        assertReverts(requester, abi.encodeCall(escrow.appoint, (terms, list)), reason);
    }

    function _assertExpireReverts(IJob.Terms memory terms, address[] memory panel, bytes memory reason) private {
        assertReverts(requester, abi.encodeCall(escrow.expire, (terms, panel)), reason);
    }
}
